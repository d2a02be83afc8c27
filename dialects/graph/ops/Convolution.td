// Convolutions.
#ifndef TENON_GRAPH_CONVOLUTION
#define TENON_GRAPH_CONVOLUTION

include "dialects/graph/GraphTypes.td"

#endif // TENON_GRAPH_CONVOLUTION
