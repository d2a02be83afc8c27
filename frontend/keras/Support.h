//===- Support.h - what of Keras is supported -----------------------------===//

#ifndef TENON_FRONTEND_KERAS_SUPPORT_H
#define TENON_FRONTEND_KERAS_SUPPORT_H

#include "frontend/Frontend.h"

namespace tenon::keras {

/// Classes of layers by family, then functions of keras.ops by class.
std::vector<OperationFamily> layerFamilies();

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_SUPPORT_H
