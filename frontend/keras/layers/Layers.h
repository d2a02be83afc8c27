//===- Layers.h - the families of layers ----------------------------------===//

#ifndef TENON_FRONTEND_KERAS_LAYERS_LAYERS_H
#define TENON_FRONTEND_KERAS_LAYERS_LAYERS_H

#include "frontend/keras/Call.h"

namespace tenon::keras {

void addActivationLayers(LayerTable &table);
void addAttentionLayers(LayerTable &table);
void addConvolutionLayers(LayerTable &table);
void addCoreLayers(LayerTable &table);
void addMergingLayers(LayerTable &table);
void addNormalizationLayers(LayerTable &table);
void addPoolingLayers(LayerTable &table);
void addPreprocessingLayers(LayerTable &table);
void addRecurrentLayers(LayerTable &table);
void addRegularizationLayers(LayerTable &table);
void addReshapingLayers(LayerTable &table);
/// Functions of keras.ops between layers, by the names of their classes.
void addOperations(LayerTable &table);

/// x times the matrix `kernel` along its last dimension, plus `bias` (null:
/// none).
Tensor dense(Tensor x, Tensor kernel, Tensor bias);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_LAYERS_LAYERS_H
