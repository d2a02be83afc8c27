// tenon-translate: the importer alone, and upstream's translations.
#include "compiler/pipeline/Pipeline.h"
#include "frontend/Frontend.h"

#include "mlir/InitAllTranslations.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

/// --import-model: a model file, by its path, to the graph dialect.
static void registerImport() {
  static TranslateToMLIRRegistration registration(
      "import-model", "model file to the graph dialect",
      [](llvm::SourceMgr &sources, MLIRContext *context) {
        StringRef path = sources.getMemoryBuffer(sources.getMainFileID())
                             ->getBufferIdentifier();
        OwningOpRef<ModuleOp> module =
            tenon::importModel(path, tenon::ImportOptions(), *context);
        return OwningOpRef<Operation *>(module.release());
      },
      [](DialectRegistry &registry) { tenon::registerDialects(registry); });
}

int main(int argc, char **argv) {
  registerAllTranslations();
  registerImport();
  return failed(mlirTranslateMain(argc, argv, "Tenon's translation driver\n"));
}
