// The same elements in another shape, and shapes as values.
#ifndef TENON_GRAPH_SHAPE
#define TENON_GRAPH_SHAPE

include "dialects/graph/GraphTypes.td"

#endif // TENON_GRAPH_SHAPE
