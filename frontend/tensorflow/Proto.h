//===- Proto.h - the generated message classes ----------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_PROTO_H
#define TENON_FRONTEND_TENSORFLOW_PROTO_H

// The generated code is not ours to warn about.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include "frontend/tensorflow/proto/checkpoint.pb.h"
#include "frontend/tensorflow/proto/saved_model.pb.h"
#pragma clang diagnostic pop

#endif // TENON_FRONTEND_TENSORFLOW_PROTO_H
