// Reductions and scans.
#ifndef TENON_GRAPH_REDUCTION
#define TENON_GRAPH_REDUCTION

include "dialects/graph/GraphTypes.td"

#endif // TENON_GRAPH_REDUCTION
