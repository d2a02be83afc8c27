// Tensors used as lists.
#ifndef TENON_GRAPH_SEQUENCE
#define TENON_GRAPH_SEQUENCE

include "dialects/graph/GraphTypes.td"

#endif // TENON_GRAPH_SEQUENCE
