//===- Emit.cpp - from the compile result to files ------------------------===//

#include "compiler/backend/cpu/Emit.h"

#include "compiler/backend/cpu/Codegen.h"
#include "compiler/backend/cpu/DebugInfo.h"
#include "compiler/backend/cpu/Files.h"
#include "compiler/backend/cpu/Glue.h"
#include "compiler/backend/cpu/Header.h"
#include "compiler/backend/cpu/Link.h"
#include "compiler/backend/cpu/Target.h"
#include "compiler/backend/cpu/WeightsObject.h"

#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Target/TargetMachine.h"

#include <chrono>
#include <fcntl.h>
#include <unistd.h>

using namespace llvm;

namespace tenon {

namespace {

/// Of the C function of an entry.
constexpr size_t kManyParameters = 500;

class Emitter {
public:
  Emitter(ArtifactSpec &spec, OutputKind kind, StringRef path,
          const EmitOptions &options)
      : spec(spec), kind(kind), path(path), options(options),
        platform(*findPlatform(Triple(spec.triple))) {
    if (hasExternalWeights()) {
      SmallString<128> weightsPath(path);
      sys::path::replace_extension(weightsPath, "weights");
      glue.weightsFile = sys::path::filename(weightsPath);
      externalPath = weightsPath.str();
    }
    glue.isExecutable = kind == OutputKind::Executable;
  }

  Error run() {
    bool isLinked =
        kind == OutputKind::Executable || kind == OutputKind::SharedLibrary;
    if (isLinked && !hasRuntime(Triple(spec.triple)))
      return createStringError(
          "the runtime library is not there for " + spec.triple +
          "; an object (-o NAME.o), a static library (.a), LLVM IR (.ll) and "
          "assembly (.s) can be written");
    // Outputs first: a folder that cannot be written to is known at once.
    Expected<OutputFile> output = OutputFile::create(path);
    if (!output)
      return output.takeError();
    outputs.push_back(std::move(*output));
    if (Error error = kind == OutputKind::Ptx ? emitPtx()
                      : isText()              ? emitText()
                                              : emitBinary())
      return error;
    if (options.debugInfo)
      if (Error error =
              addOutput(getPathBeside(getNodesFile(spec)), spec.nodes))
        return error;
    for (OutputFile &file : outputs)
      if (Error error = file.commit())
        return error;
    return Error::success();
  }

private:
  bool isText() const {
    return kind == OutputKind::LlvmIr || kind == OutputKind::Assembly;
  }

  bool hasExternalWeights() const {
    return options.externalWeights && spec.weightsBytes && !isText();
  }

  /// Runs one phase and reports its time.
  Error phase(StringRef name, function_ref<Error()> work) {
    auto start = std::chrono::steady_clock::now();
    Error error = work();
    if (options.reportTime)
      options.reportTime(name, std::chrono::duration<double>(
                                   std::chrono::steady_clock::now() - start)
                                   .count());
    return error;
  }

  Error compile(UnitOutput unitOutput) {
    if (!options.saveTemps.empty())
      if (Error error = saveUnits())
        return error;
    CodegenOptions codegen;
    codegen.optLevel = options.optLevel;
    codegen.fastMath = options.fastMath;
    codegen.threads = options.threads;
    codegen.debugInfo = options.debugInfo;
    if (!options.saveTemps.empty())
      codegen.saveUnit = [this](size_t unit, StringRef text) {
        return saveTemp(text, unit, "ll");
      };
    auto results = compileUnits(spec, unitOutput, codegen);
    if (!results)
      return results.takeError();
    compiled = std::move(*results);
    return Error::success();
  }

  /// Writes `contents` to <saveTemps>/<model>.<number>.<suffix>.
  Error saveTemp(StringRef contents, size_t number, StringRef suffix) {
    SmallString<128> file(options.saveTemps);
    sys::path::append(file, getModelIdentifier(spec) + "." + Twine(number) +
                                "." + suffix);
    auto saved = OutputFile::create(file);
    if (!saved)
      return saved.takeError();
    if (Error error = saved->write(contents))
      return error;
    return saved->commit();
  }

  Error saveUnits() {
    if (std::error_code code = sys::fs::create_directories(options.saveTemps))
      return createStringError("cannot make '" + options.saveTemps +
                               "': " + code.message());
    for (auto [index, unit] : llvm::enumerate(spec.units)) {
      std::string text;
      raw_string_ostream stream(text);
      unit.module->print(stream);
      if (Error error = saveTemp(text, index, "mlir"))
        return error;
    }
    return Error::success();
  }

  Expected<std::unique_ptr<Module>> makeGlue(LLVMContext &context,
                                             TargetMachine &machine) {
    auto module = createGlue(spec, glue, context);
    if (!module)
      return module.takeError();
    setMachine(**module, machine);
    optimize(**module, machine, options.optLevel);
    return module;
  }

  Error emitPtx() {
    return outputs.front().write(
        StringRef(spec.device->images.front().bytes).drop_back());
  }

  /// .ll and .s: all units and the glue in one module.
  Error emitText() {
    if (Error error =
            phase("codegen", [&] { return compile(UnitOutput::Bitcode); }))
      return error;
    LLVMContext context;
    auto machine = createTargetMachine(
        spec.triple, getBaselineVariant(spec.triple), options.optLevel);
    if (!machine)
      return machine.takeError();
    auto module = makeGlue(context, **machine);
    if (!module)
      return module.takeError();
    Linker linker(**module);
    for (const SmallVector<char, 0> &bitcode : compiled) {
      auto unit = parseBitcodeFile(
          MemoryBufferRef(StringRef(bitcode.data(), bitcode.size()), "unit"),
          context);
      if (!unit)
        return unit.takeError();
      if (linker.linkInModule(std::move(*unit)))
        return createStringError("cannot put the units together");
    }
    if (kind == OutputKind::LlvmIr) {
      std::string text;
      raw_string_ostream stream(text);
      (*module)->print(stream, nullptr);
      return outputs.front().write(text);
    }
    SmallVector<char, 0> text;
    if (Error error = emitModule(**module, **machine, /*assembly=*/true, text))
      return error;
    return outputs.front().write(StringRef(text.data(), text.size()));
  }

  Error emitBinary() {
    if (kind != OutputKind::Executable)
      if (Error error = addOutput(getHeaderPath(), writeHeader(spec)))
        return error;
    if (Error error =
            phase("codegen", [&] { return compile(UnitOutput::Object); }))
      return error;
    if (Error error = phase("weights", [&] { return emitWeights(); }))
      return error;
    for (auto [index, object] : llvm::enumerate(compiled)) {
      StringRef contents(object.data(), object.size());
      if (Error error = addObject(contents))
        return error;
      if (!options.saveTemps.empty())
        if (Error error = saveTemp(contents, index, "o"))
          return error;
    }
    if (Error error = phase("interface", [&] { return addGlue(); }))
      return error;
    return phase("link", [&] { return link(); });
  }

  std::string getHeaderPath() const {
    bool isFileName = !StringRef(spec.name).contains('/');
    return getPathBeside((isFileName ? spec.name : getModelIdentifier(spec)) +
                         ".h");
  }

  std::string getPathBeside(StringRef name) const {
    SmallString<128> file(sys::path::parent_path(path));
    sys::path::append(file, name);
    return file.str().str();
  }

  Error addOutput(const std::string &file, StringRef contents) {
    Expected<OutputFile> output = OutputFile::create(file);
    if (!output)
      return output.takeError();
    outputs.push_back(std::move(*output));
    return outputs.back().write(contents);
  }

  Error addObject(StringRef contents) {
    Expected<ScratchFile> file = ScratchFile::createInMemory(contents);
    if (!file)
      return file.takeError();
    objects.push_back(std::move(*file));
    return Error::success();
  }

  Error addGlue() {
    LLVMContext context;
    // Functions of thousands of parameters take LLVM quadratic time.
    bool isLong = llvm::any_of(spec.entries, [](const EntryInfo &entry) {
      return entry.inputs.size() + entry.outputs.size() > kManyParameters;
    });
    auto machine =
        createTargetMachine(spec.triple, getBaselineVariant(spec.triple),
                            isLong ? 0 : options.optLevel);
    if (!machine)
      return machine.takeError();
    auto module = makeGlue(context, **machine);
    if (!module)
      return module.takeError();
    SmallVector<char, 0> object;
    if (Error error =
            emitModule(**module, **machine, /*assembly=*/false, object))
      return error;
    return addObject(StringRef(object.data(), object.size()));
  }

  Error emitWeights() {
    if (!spec.weightsBytes)
      return Error::success();
    if (!externalPath.empty()) {
      Expected<OutputFile> output = OutputFile::create(externalPath);
      if (!output)
        return output.takeError();
      int fd = ::open(output->getTemporaryPath().c_str(), O_RDWR | O_CLOEXEC);
      if (fd < 0)
        return createStringError("cannot open '" + externalPath + "'");
      Error error = writeWeightsFile(spec, fd, options.threads);
      ::close(fd);
      outputs.push_back(std::move(*output));
      return error;
    }
    Expected<ScratchFile> file = ScratchFile::createOnDisk(path);
    if (!file)
      return file.takeError();
    weights = std::move(*file);
    return writeWeightsObject(spec, weights.getFd(), options.threads);
  }

  Error link() {
    LinkInputs inputs;
    for (const ScratchFile &object : objects)
      inputs.objects.push_back(object.getPath());
    bool hasWeightsObject = weights.getFd() >= 0;
    if (hasWeightsObject)
      inputs.objects.push_back(weights.getPath());
    inputs.runtimeArchive = options.runtimeArchive;
    inputs.threads = options.threads;
    inputs.keepDebugInfo = options.debugInfo;
    inputs.platform = &platform;
    const std::string &out = outputs.front().getTemporaryPath();
    switch (kind) {
    case OutputKind::Executable:
      return linkExecutable(inputs, out);
    case OutputKind::SharedLibrary:
      inputs.exports = getPublicSymbols(spec);
      inputs.soname = sys::path::filename(path);
      return linkSharedLibrary(inputs, out);
    case OutputKind::Object:
      if (Error error = linkObject(inputs, out))
        return error;
      return localizeHiddenSymbols(out);
    default:
      return linkArchive(inputs, hasWeightsObject, out);
    }
  }

  /// The weights are a member of their own, so that they are not copied twice.
  Error linkArchive(LinkInputs &inputs, bool hasWeightsObject,
                    const std::string &out) {
    if (hasWeightsObject)
      inputs.objects.pop_back();
    Expected<OutputFile> object = OutputFile::create(path.str() + ".o");
    if (!object)
      return object.takeError();
    if (Error error = linkObject(inputs, object->getTemporaryPath()))
      return error;
    std::string id = getModelIdentifier(spec);
    std::string codeName = id + ".o", weightsName = id + ".weights.o";
    std::vector<NewArchiveMember> members;
    auto add = [&](StringRef file, StringRef name) -> Error {
      auto buffer = MemoryBuffer::getFile(file, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
      if (!buffer)
        return createStringError(buffer.getError().message());
      NewArchiveMember member((*buffer)->getMemBufferRef());
      member.MemberName = name;
      members.push_back(std::move(member));
      buffers.push_back(std::move(*buffer));
      return Error::success();
    };
    if (Error error = add(object->getTemporaryPath(), codeName))
      return error;
    if (hasWeightsObject)
      if (Error error = add(weights.getPath(), weightsName))
        return error;
    return writeArchive(out, members, SymtabWritingMode::NormalSymtab,
                        object::Archive::K_GNU, /*Deterministic=*/true,
                        /*Thin=*/false);
  }

  ArtifactSpec &spec;
  OutputKind kind;
  StringRef path;
  const EmitOptions &options;
  const Platform &platform;
  GlueOptions glue;
  std::string externalPath;
  std::vector<SmallVector<char, 0>> compiled;
  std::vector<ScratchFile> objects;
  std::vector<std::unique_ptr<MemoryBuffer>> buffers;
  ScratchFile weights;
  std::vector<OutputFile> outputs;
};

} // namespace

Error emitArtifact(ArtifactSpec &spec, OutputKind kind, StringRef path,
                   const EmitOptions &options) {
  return Emitter(spec, kind, path, options).run();
}

std::string findRuntimeArchive(StringRef tool) {
  SmallString<128> path(sys::path::parent_path(sys::path::parent_path(tool)));
  sys::path::append(path, "lib", "tenon", "libtenon.a");
  return path.str().str();
}

} // namespace tenon
