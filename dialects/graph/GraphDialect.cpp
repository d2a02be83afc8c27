#include "dialects/graph/Gradient.h"
#include "dialects/graph/HostCall.h"
#include "dialects/graph/ops/Control.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon::graph;

#include "dialects/graph/GraphDialect.cpp.inc"
#include "dialects/graph/GraphInterfaces.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/graph/GraphTypes.cpp.inc"

void GraphDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/graph/GraphTypes.cpp.inc"
      >();
  // What elements are computed with: passes over the graph ask how much.
  getContext()
      ->loadDialect<arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                    complex::ComplexDialect>();
  registerElementwiseOps();
  registerContractionOps();
  registerConvolutionOps();
  registerPoolingOps();
  registerReductionOps();
  registerShapeOps();
  registerIndexingOps();
  registerNormalizationOps();
  registerRandomOps();
  registerStateOps();
  registerControlOps();
  registerSequenceOps();
  registerStringOps(*this);
  registerHostOps(*this);
  registerSparseOps(*this);
  registerLinearAlgebraOps(*this);
  registerImageOps(*this);
  registerDistributionOps(*this);
  registerDerivativeOps();
  registerGradientsOps();
  registerSamplingOps();
  addGradients(getContext());
}

Operation *GraphDialect::materializeConstant(OpBuilder &builder,
                                             Attribute value, Type type,
                                             Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  return elements ? ConstantOp::create(builder, loc, type, elements) : nullptr;
}
