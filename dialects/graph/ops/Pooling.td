// Windowed maxima and means.
#ifndef TENON_GRAPH_POOLING
#define TENON_GRAPH_POOLING

include "dialects/graph/GraphTypes.td"

#endif // TENON_GRAPH_POOLING
