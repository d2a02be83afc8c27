// Random numbers.
#ifndef TENON_GRAPH_RANDOM
#define TENON_GRAPH_RANDOM

include "dialects/graph/GraphTypes.td"

#endif // TENON_GRAPH_RANDOM
