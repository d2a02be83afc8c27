// tenon-lsp-server: MLIR's language server with Tenon's dialects.
#include "compiler/pipeline/Pipeline.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  tenon::registerDialects(registry);
  return failed(mlir::MlirLspServerMain(argc, argv, registry));
}
