// Elements chosen by indices.
#ifndef TENON_GRAPH_INDEXING
#define TENON_GRAPH_INDEXING

include "dialects/graph/GraphTypes.td"

#endif // TENON_GRAPH_INDEXING
