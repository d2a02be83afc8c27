// Softmax and normalizations.
#ifndef TENON_GRAPH_NORMALIZATION
#define TENON_GRAPH_NORMALIZATION

include "dialects/graph/GraphTypes.td"

#endif // TENON_GRAPH_NORMALIZATION
