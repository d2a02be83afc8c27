// Matrix products.
#ifndef TENON_GRAPH_CONTRACTION
#define TENON_GRAPH_CONTRACTION

include "dialects/graph/GraphTypes.td"

#endif // TENON_GRAPH_CONTRACTION
