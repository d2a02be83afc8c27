//===- Glue.cpp - descriptor and public functions of a model --------------===//

#include "compiler/backend/cpu/Glue.h"

#include "compiler/backend/cpu/Codegen.h"
#include "compiler/backend/cpu/Signature.h"
#include "compiler/backend/cpu/WeightsObject.h"
#include "runtime/include/tenon/abi.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace tenon {

static_assert(kDTypeInt == TENON_INT && kDTypeUInt == TENON_UINT &&
              kDTypeFloat == TENON_FLOAT && kDTypeBFloat == TENON_BFLOAT &&
              kDTypeComplex == TENON_COMPLEX && kDTypeBool == TENON_BOOL &&
              kDTypeString == TENON_STRING);

bool isStaticEntry(const EntryInfo &entry) {
  auto isPlain = [](const TensorInfo &info) {
    bool hasStringDefault =
        info.defaultValue && info.dtype.code == kDTypeString;
    return info.isStatic() && !hasStringDefault;
  };
  return llvm::all_of(entry.inputs, isPlain) &&
         llvm::all_of(entry.outputs, isPlain);
}

std::vector<std::string> getParameterIdentifiers(const EntryInfo &entry) {
  std::vector<std::string> names;
  for (const TensorInfo &input : entry.inputs)
    names.push_back(input.name);
  for (const TensorInfo &output : entry.outputs)
    names.push_back(output.name);
  return makeIdentifiers(names, {"instance", "bytes", "options"});
}

std::vector<unsigned> getReserveSymbols(const EntryInfo &entry) {
  std::vector<unsigned> symbols;
  for (const TensorInfo &input : entry.inputs)
    for (int64_t dim : input.shape)
      if (dim < 0 && !llvm::is_contained(symbols, unsigned(-1 - dim)))
        symbols.push_back(-1 - dim);
  return symbols;
}

std::vector<std::string> getReserveIdentifiers(const ArtifactSpec &spec) {
  std::vector<std::string> names;
  std::vector<std::string> entries = getEntryIdentifiers(spec);
  std::vector<StringRef> reserved(entries.begin(), entries.end());
  for (const std::string &entry : entries)
    names.push_back(entry + "_reserve");
  return makeIdentifiers(names, reserved);
}

bool hasVariables(const ArtifactSpec &spec) {
  return llvm::any_of(spec.variables, [](const VariableInfo &variable) {
    return !variable.generator;
  });
}

/// Functions of the runtime that a model with variables has under its own name,
/// and how many pointers they take.
static constexpr std::pair<const char *, unsigned> kVariableFunctions[] = {
    {"get_variable", 3}, {"set_variable", 3}, {"save", 2}, {"restore", 2}};

std::vector<std::string> getPublicSymbols(const ArtifactSpec &spec) {
  std::string prefix = getModelIdentifier(spec) + "_";
  std::vector<std::string> symbols;
  for (const char *name : {"create", "destroy", "error", "signature"})
    symbols.push_back(prefix + name);
  if (hasVariables(spec))
    for (auto [name, parameters] : kVariableFunctions)
      symbols.push_back(prefix + name);
  for (const std::string &entry : getEntryIdentifiers(spec))
    symbols.push_back(prefix + entry);
  std::vector<std::string> reserves = getReserveIdentifiers(spec);
  for (auto [index, entry] : llvm::enumerate(spec.entries))
    if (entry.hasReserve)
      symbols.push_back(prefix + reserves[index]);
  return symbols;
}

namespace {

/// tenon_variant.cpu_level: the lowest x86-64 level that has all instructions
/// of its levels that the code may use, and a bit for each one beyond.
Expected<uint32_t> computeCpuLevel(StringRef triple,
                                   const CodeVariant &variant) {
  if (variant.level >= 2 && variant.level <= 4)
    return variant.level;
  if (!Triple(triple).isX86())
    return 0; // Only this architecture has levels.
  auto machine = createTargetMachine(triple, variant, 0);
  if (!machine)
    return machine.takeError();
  const MCSubtargetInfo &subtarget = *(*machine)->getMCSubtargetInfo();
  auto hasAny = [&](ArrayRef<const char *> features) {
    return llvm::any_of(features, [&](const char *feature) {
      return subtarget.checkFeatures(std::string("+") + feature);
    });
  };
  uint32_t level = 0;
  if (hasAny({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    level = 4;
  else if (hasAny(
               {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}))
    level = 3;
  else if (hasAny({"cx16", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"}))
    level = 2;
#define TENON_FEATURE(index, name)                                             \
  if (hasAny({name}))                                                          \
    level |= 1u << (TENON_CPU_FEATURE_SHIFT + index);
  TENON_CPU_FEATURES(TENON_FEATURE)
#undef TENON_FEATURE
  return level;
}

class GlueBuilder {
public:
  GlueBuilder(const ArtifactSpec &spec, const GlueOptions &options,
              LLVMContext &context)
      : spec(spec), options(options), context(context), builder(context),
        id(getModelIdentifier(spec)),
        module(std::make_unique<Module>(id, context)) {
    ptr = PointerType::get(context, 0);
    i32 = builder.getInt32Ty();
    i64 = builder.getInt64Ty();
    null = ConstantPointerNull::get(ptr);
    entryType = FunctionType::get(i32, {ptr, ptr, ptr, ptr}, false);
  }

  Expected<std::unique_ptr<Module>> build() {
    if (Error error = addDescriptor())
      return error;
    // Nobody calls the functions of an executable.
    if (options.isExecutable)
      return std::move(module);
    addCreate();
    addDestroy();
    addError();
    addSignature();
    if (hasVariables(spec))
      for (auto [name, parameters] : kVariableFunctions)
        addForward(name, parameters);
    std::vector<std::string> names = getEntryIdentifiers(spec);
    std::vector<std::string> reserves = getReserveIdentifiers(spec);
    for (auto [index, entry] : llvm::enumerate(spec.entries)) {
      std::string name = id + "_" + names[index];
      if (isStaticEntry(entry))
        addStaticEntry(index, name);
      else
        addDynamicEntry(index, name);
      if (entry.hasReserve)
        addReserve(index, id + "_" + reserves[index]);
    }
    return std::move(module);
  }

private:
  // Data.

  GlobalVariable *addConstant(Constant *value, const Twine &name,
                              unsigned align) {
    auto *global =
        new GlobalVariable(*module, value->getType(), /*isConstant=*/true,
                           GlobalValue::InternalLinkage, value, name);
    global->setAlignment(Align(align));
    return global;
  }

  Constant *addString(StringRef string, const Twine &name) {
    return addConstant(ConstantDataArray::getString(context, string), name, 1);
  }

  Constant *addArray(Type *type, ArrayRef<Constant *> values,
                     const Twine &name) {
    return addConstant(
        ConstantArray::get(ArrayType::get(type, values.size()), values), name,
        8);
  }

  Error addDescriptor() {
    std::string table = writeSignature(spec);
    auto *signatureGlobal = addConstant(
        ConstantDataArray::getString(context, table, /*AddNull=*/false),
        id + "__signature", 16);
    signatureGlobal->setSection(kSignatureSection);
    signature = signatureGlobal;
    signatureBytes = table.size();

    Constant *weights = null, *weightsFile = null, *mapWeights = null;
    if (spec.weightsBytes && options.weightsFile.empty())
      weights = declareHidden(getWeightsPointerSymbol(id));
    else if (spec.weightsBytes) {
      weightsFile = addString(options.weightsFile, id + "__weights_file");
      mapWeights =
          declareFunction("tenon_map_weights",
                          FunctionType::get(ptr, {ptr, ptr, ptr, i64}, false));
    }

    // Linked only into artifacts that need it, like the files' functions above.
    Constant *views =
        options.isExecutable ? null : declareHidden("tenon_views");
    Constant *threads = spec.parallel ? declareHidden("tenon_threads") : null;
    auto isString = [](const TensorInfo &info) {
      return info.dtype.code == kDTypeString;
    };
    bool hasStrings = llvm::any_of(spec.entries, [&](const EntryInfo &entry) {
      return llvm::any_of(entry.inputs, isString) ||
             llvm::any_of(entry.outputs, isString);
    });
    Constant *strings = options.isExecutable && hasStrings
                            ? declareHidden("tenon_strings")
                            : null;
    Constant *checkpoints = options.isExecutable && hasVariables(spec)
                                ? declareHidden("tenon_checkpoints")
                                : null;
    Constant *training = options.isExecutable && spec.isTraining
                             ? declareHidden("tenon_training")
                             : null;

    if (spec.device)
      addDevice();

    auto *variantType = StructType::get(context, {i32, ptr, ptr});
    std::vector<Constant *> variants;
    Constant *cpuFeatures = null;
    for (auto [index, variant] : llvm::enumerate(spec.variants)) {
      if (variant.isForDevice)
        continue;
      Expected<uint32_t> level = computeCpuLevel(spec.triple, variant);
      if (!level)
        return level.takeError();
      if (*level >> TENON_CPU_FEATURE_SHIFT)
        cpuFeatures = declareFunction("tenon_cpu_features",
                                      FunctionType::get(i32, {}, false));
      std::string suffix = getVariantSuffix(variant);
      bool isNamed = variant.level < 2 || variant.level > 4;
      variants.push_back(ConstantStruct::get(
          variantType,
          {builder.getInt32(*level),
           isNamed ? addString(variant.cpu, id + "__cpu" + suffix) : null,
           addEntries(index)}));
    }
    auto *modelType =
        StructType::get(context, {i32, i32, ptr, ptr, i64, ptr, i64, ptr, ptr,
                                  ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr});
    model = addConstant(
        ConstantStruct::get(modelType,
                            {builder.getInt32(TENON_ABI_VERSION),
                             builder.getInt32(variants.size()),
                             addString(spec.name, id + "__name"), signature,
                             builder.getInt64(signatureBytes), weights,
                             builder.getInt64(spec.weightsBytes), weightsFile,
                             addArray(variantType, variants, id + "__variants"),
                             mapWeights, cpuFeatures, views, threads, strings,
                             checkpoints, training, device ? device : null}),
        id + "__model", 8);
    if (options.isExecutable) {
      model->setName("tenon_main_model");
      model->setLinkage(GlobalValue::ExternalLinkage);
      model->setVisibility(GlobalValue::HiddenVisibility);
    }
    return Error::success();
  }

  /// The entries of a variant, in order.
  Constant *addEntries(unsigned variant) {
    std::vector<Constant *> entries;
    for (unsigned entry = 0; entry < spec.entries.size(); ++entry)
      entries.push_back(
          declareFunction(getEntrySymbol(spec, entry, variant), entryType));
    return addArray(ptr, entries,
                    id + "__entries" +
                        getVariantSuffix(spec.variants[variant]));
  }

  void addDevice() {
    std::vector<Constant *> kernels, images, calls;
    for (auto [i, kernel] : llvm::enumerate(spec.device->kernels))
      kernels.push_back(addString(kernel, id + "__kernel" + Twine(i)));
    auto *imageType = StructType::get(context, {ptr, ptr, i64});
    for (const DeviceSpec::Image &image : spec.device->images) {
      Constant *bytes = ConstantDataArray::getString(context, image.bytes,
                                                     /*AddNull=*/false);
      std::string name = id + "__" + image.architecture;
      images.push_back(ConstantStruct::get(
          imageType, {addString(image.architecture, name + "_name"),
                      addConstant(bytes, name, 64),
                      builder.getInt64(image.bytes.size())}));
    }
    for (unsigned entry = 0; entry < spec.entries.size(); ++entry) {
      Function *call = declareFunction(
          id + "__device_call" + std::to_string(entry), entryType);
      builder.SetInsertPoint(BasicBlock::Create(context, "entry", call));
      builder.CreateRet(
          callRuntime("tenon_device_call", i32,
                      {call->getArg(0), builder.getInt32(entry),
                       call->getArg(1), call->getArg(2), call->getArg(3)}));
      call->setLinkage(GlobalValue::InternalLinkage);
      call->setVisibility(GlobalValue::DefaultVisibility);
      calls.push_back(call);
    }
    unsigned variant = 0;
    while (!spec.variants[variant].isForDevice)
      ++variant;
    auto *type = StructType::get(context, {ptr, i32, i32, ptr, ptr, ptr, ptr});
    device = addConstant(
        ConstantStruct::get(
            type,
            {declareHidden("tenon_cuda"), builder.getInt32(kernels.size()),
             builder.getInt32(images.size()),
             addArray(ptr, kernels, id + "__device_kernels"),
             addArray(imageType, images, id + "__device_images"),
             addEntries(variant), addArray(ptr, calls, id + "__device_calls")}),
        id + "__device", 8);
  }

  Constant *declareHidden(const Twine &name) {
    auto *global = new GlobalVariable(*module, ptr, /*isConstant=*/true,
                                      GlobalValue::ExternalLinkage,
                                      /*Initializer=*/nullptr, name);
    global->setVisibility(GlobalValue::HiddenVisibility);
    global->setDSOLocal(true);
    return global;
  }

  Function *declareFunction(StringRef name, FunctionType *type) {
    if (Function *existing = module->getFunction(name))
      return existing;
    auto *function =
        Function::Create(type, GlobalValue::ExternalLinkage, name, *module);
    function->setVisibility(GlobalValue::HiddenVisibility);
    function->setDSOLocal(true);
    function->setDoesNotThrow();
    return function;
  }

  // Functions.

  Function *startFunction(StringRef name, Type *result,
                          ArrayRef<Type *> parameters) {
    auto *function =
        Function::Create(FunctionType::get(result, parameters, false),
                         GlobalValue::ExternalLinkage, name, *module);
    function->setDSOLocal(true);
    function->setDoesNotThrow();
    builder.SetInsertPoint(BasicBlock::Create(context, "entry", function));
    return function;
  }

  Value *callRuntime(StringRef name, Type *result, ArrayRef<Value *> values) {
    std::vector<Type *> types;
    for (Value *value : values)
      types.push_back(value->getType());
    return builder.CreateCall(
        declareFunction(name, FunctionType::get(result, types, false)), values);
  }

  void addCreate() {
    Function *function = startFunction(id + "_create", ptr, {ptr});
    builder.CreateRet(
        callRuntime("tenon_create", ptr, {model, function->getArg(0)}));
  }

  void addDestroy() {
    Function *function =
        startFunction(id + "_destroy", builder.getVoidTy(), {ptr});
    callRuntime("tenon_destroy", builder.getVoidTy(), {function->getArg(0)});
    builder.CreateRetVoid();
  }

  void addError() {
    Function *function = startFunction(id + "_error", ptr, {ptr});
    builder.CreateRet(callRuntime("tenon_error", ptr, {function->getArg(0)}));
  }

  void addSignature() {
    Function *function = startFunction(id + "_signature", ptr, {ptr});
    auto *store = BasicBlock::Create(context, "store", function);
    auto *done = BasicBlock::Create(context, "done", function);
    builder.CreateCondBr(builder.CreateIsNull(function->getArg(0)), done,
                         store);
    builder.SetInsertPoint(store);
    builder.CreateStore(builder.getInt64(signatureBytes), function->getArg(0));
    builder.CreateBr(done);
    builder.SetInsertPoint(done);
    builder.CreateRet(signature);
  }

  void addForward(const char *name, unsigned parameters) {
    std::vector<Type *> types(parameters, ptr);
    Function *function = startFunction(id + "_" + name, i32, types);
    std::vector<Value *> values;
    for (Argument &argument : function->args())
      values.push_back(&argument);
    builder.CreateRet(callRuntime((Twine("tenon_") + name).str(), i32, values));
  }

  /// Returns TENON_INVALID (1) without an instance.
  void returnIfNull(Function *function) {
    auto *invalid = BasicBlock::Create(context, "invalid", function);
    auto *valid = BasicBlock::Create(context, "valid", function);
    builder.CreateCondBr(builder.CreateIsNull(function->getArg(0)), invalid,
                         valid);
    builder.SetInsertPoint(invalid);
    builder.CreateRet(builder.getInt32(1));
    builder.SetInsertPoint(valid);
  }

  /// An array on the stack with the parameters [begin, end) of `function`.
  Value *makePointerArray(Function *function, unsigned begin, unsigned end) {
    auto *type = ArrayType::get(ptr, end - begin);
    Value *array = builder.CreateAlloca(type);
    for (unsigned i = begin; i < end; ++i)
      builder.CreateStore(
          function->getArg(i),
          builder.CreateConstInBoundsGEP2_32(type, array, 0, i - begin));
    return array;
  }

  Function *startEntry(const EntryInfo &entry, StringRef name) {
    std::vector<Type *> parameters(
        1 + entry.inputs.size() + entry.outputs.size(), ptr);
    return startFunction(name, i32, parameters);
  }

  void addStaticEntry(unsigned index, StringRef name) {
    const EntryInfo &entry = spec.entries[index];
    Function *function = startEntry(entry, name);
    if (!entry.stateless)
      returnIfNull(function);
    unsigned outputsAt = 1 + entry.inputs.size();
    Value *inputs = makePointerArray(function, 1, outputsAt);
    Value *outputs =
        makePointerArray(function, outputsAt, function->arg_size());
    for (auto [i, input] : llvm::enumerate(entry.inputs))
      if (input.defaultValue)
        fillDefault(function->getArg(1 + i), *input.defaultValue, inputs, i);
    Value *instance = function->getArg(0);
    if (!entry.stateless) {
      builder.CreateRet(callRuntime(
          "tenon_invoke", i32,
          {instance, builder.getInt32(index), inputs, outputs, null}));
      return;
    }
    Value *entries = callRuntime("tenon_select", ptr, {model});
    auto *invoke = BasicBlock::Create(context, "invoke", function);
    auto *invalid = BasicBlock::Create(context, "invalid", function);
    builder.CreateCondBr(builder.CreateIsNull(entries), invalid, invoke);
    builder.SetInsertPoint(invalid);
    builder.CreateRet(builder.getInt32(1));
    builder.SetInsertPoint(invoke);
    Value *target = builder.CreateLoad(
        ptr, builder.CreateConstInBoundsGEP1_32(ptr, entries, index));
    builder.CreateRet(builder.CreateCall(entryType, target,
                                         {instance, inputs, outputs, null}));
  }

  /// An input that is left out (NULL) becomes its default.
  void fillDefault(Value *argument, const DefaultValue &value, Value *inputs,
                   unsigned position) {
    Constant *bytes = addConstant(
        ConstantDataArray::getString(context, value.bytes, /*AddNull=*/false),
        id + "__default", 16);
    builder.CreateStore(
        builder.CreateSelect(builder.CreateIsNull(argument), bytes, argument),
        builder.CreateConstInBoundsGEP1_32(ptr, inputs, position));
  }

  void addDynamicEntry(unsigned index, StringRef name) {
    const EntryInfo &entry = spec.entries[index];
    Function *function = startEntry(entry, name);
    returnIfNull(function);
    unsigned outputsAt = 1 + entry.inputs.size();
    Value *inputs = makePointerArray(function, 1, outputsAt);
    Value *outputs =
        makePointerArray(function, outputsAt, function->arg_size());
    builder.CreateRet(callRuntime(
        "tenon_call", i32,
        {function->getArg(0), builder.getInt32(index), inputs, outputs}));
  }

  void addReserve(unsigned index, StringRef name) {
    const EntryInfo &entry = spec.entries[index];
    std::vector<unsigned> symbols = getReserveSymbols(entry);
    std::vector<Type *> parameters(1 + symbols.size(), i64);
    parameters[0] = ptr;
    Function *function = startFunction(name, i32, parameters);
    returnIfNull(function);
    std::vector<Value *> dims;
    for (const TensorInfo &input : entry.inputs)
      for (int64_t dim : input.shape)
        dims.push_back(dim >= 0
                           ? static_cast<Value *>(builder.getInt64(dim))
                           : function->getArg(
                                 1 + (llvm::find(symbols, unsigned(-1 - dim)) -
                                      symbols.begin())));
    // The runtime refuses a negative number of bytes.
    Value *isNegative = builder.getFalse();
    for (unsigned i = 1; i < function->arg_size(); ++i)
      isNegative = builder.CreateOr(
          isNegative,
          builder.CreateICmpSLT(function->getArg(i), builder.getInt64(0)));
    auto *type = ArrayType::get(i64, dims.size());
    Value *array = builder.CreateAlloca(type);
    for (auto [i, dim] : llvm::enumerate(dims))
      builder.CreateStore(
          dim, builder.CreateConstInBoundsGEP2_32(type, array, 0, i));
    Value *bytes =
        callRuntime(getEntrySymbol(spec, index, 0) + "_reserve", i64, {array});
    bytes = builder.CreateSelect(isNegative, builder.getInt64(-1), bytes);
    Value *arena =
        callRuntime("tenon_reserve", ptr, {function->getArg(0), bytes});
    builder.CreateRet(builder.CreateSelect(
        builder.CreateIsNull(arena), builder.getInt32(2), builder.getInt32(0)));
  }

  const ArtifactSpec &spec;
  const GlueOptions &options;
  LLVMContext &context;
  IRBuilder<> builder;
  std::string id;
  std::unique_ptr<Module> module;
  PointerType *ptr;
  Type *i32, *i64;
  Constant *null;
  FunctionType *entryType;
  GlobalVariable *model = nullptr;
  Constant *device = nullptr;
  Constant *signature = nullptr;
  uint64_t signatureBytes = 0;
};

} // namespace

Expected<std::unique_ptr<Module>> createGlue(const ArtifactSpec &spec,
                                             const GlueOptions &options,
                                             LLVMContext &context) {
  return GlueBuilder(spec, options, context).build();
}

} // namespace tenon
