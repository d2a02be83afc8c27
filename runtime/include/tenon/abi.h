/* The contract between a compiled model (the object file that `tenon compile`
 * writes) and the runtime library, and the tensor type that both share with
 * the user. Self-contained C; TENON_ABI_VERSION changes whenever a layout or
 * the meaning of a field changes. */
#ifndef TENON_ABI_H
#define TENON_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_ABI_VERSION 4u

/* ------------------------------------------------------------------------ */
/* Tensors                                                                  */
/* ------------------------------------------------------------------------ */

/* Element type codes; they are DLPack's DLDataTypeCode. */
enum {
  TENON_INT = 0,
  TENON_UINT = 1,
  TENON_FLOAT = 2,
  TENON_STRING = 3, /* bits = 128: elements are tenon_string */
  TENON_BFLOAT = 4,
  TENON_COMPLEX = 5, /* bits = 64 or 128: two floats */
  TENON_BOOL = 6     /* bits = 8: 0 or 1 */
};

/* Device types; they are DLPack's DLDeviceType. */
enum { TENON_CPU = 1, TENON_CUDA = 2 };

/* An element type: DLPack's DLDataType. `lanes` is always 1. */
typedef struct tenon_dtype {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
} tenon_dtype;

/* Where data lives: DLPack's DLDevice. All zero is accepted as CPU. */
typedef struct tenon_device {
  int32_t type;
  int32_t id;
} tenon_device;

/* An element of a string tensor: bytes that need not end in a zero. */
typedef struct tenon_string {
  const char *data;
  size_t size;
} tenon_string;

/* A tensor: the layout of DLPack 1.x's DLTensor. `strides` counts elements,
 * NULL means row-major and dense. The first element is at
 * (char *)data + byte_offset. */
typedef struct tenon_tensor {
  void *data;
  tenon_device device;
  int32_t ndim;
  tenon_dtype dtype;
  int64_t *shape;
  int64_t *strides;
  uint64_t byte_offset;
} tenon_tensor;

/* ------------------------------------------------------------------------ */
/* What generated code sees of an instance                                  */
/* ------------------------------------------------------------------------ */

typedef struct tenon_instance tenon_instance;

/* One kernel over the tasks [begin, end). `args` holds pointers and sizes as
 * 64-bit words. Tasks are independent of each other. */
typedef void (*tenon_kernel_fn)(const uint64_t *args, int64_t begin,
                                int64_t end);

/* Runs all of [0, tasks) and returns when they are done. `kernel_id` indexes
 * `kernels` of the signature. */
typedef void (*tenon_dispatch_fn)(tenon_instance *instance,
                                  tenon_kernel_fn kernel, const uint64_t *args,
                                  int64_t tasks, int32_t kernel_id);

/* One entry point of one CPU variant.
 *   inputs   data pointers in the signature's order, dense and row-major,
 *            aligned to their elements
 *   outputs  data pointers in the signature's order; one that is NULL is set
 *            by the entry to memory of the instance
 *   dims     all dimensions of all inputs, then of all outputs. The runtime
 *            has checked the inputs against the signature (static sizes and
 *            equal symbols) and has filled in what is known of the outputs;
 *            the entry writes the dimensions of outputs that are dynamic.
 *            NULL is allowed when every dimension of the entry is static.
 * Returns 0 or the instance's status. */
typedef int32_t (*tenon_entry_fn)(tenon_instance *instance,
                                  const void *const *inputs, void **outputs,
                                  int64_t *dims);

/* The public head of an instance, at fixed offsets; the runtime's own fields
 * follow it. Generated code may read all of it and write nothing. */
struct tenon_instance {
  /*  0 */ tenon_dispatch_fn dispatch; /* NULL: call kernels directly */
  /*  8 */ char *arena;         /* 64-byte aligned, arena_bytes long or more */
  /* 16 */ const char *weights; /* weights_bytes long */
  /* 24 */ char *state;         /* variables and their initialised flags */
  /* 32 */ const char *zeros;   /* zeros_bytes of zeros, 64-byte aligned */
  /* 40 */ const tenon_entry_fn *entries; /* of the chosen variant */
  /* 48 */ int32_t status;  /* not 0 once tenon_fail was called in this call */
  /* 52 */ int32_t threads; /* size of the thread pool, at least 1 */
  /* 56 */ int32_t check_numerics; /* not 0: checks of all nodes count, in a
                                      model that was compiled with them */
};

/* ------------------------------------------------------------------------ */
/* What an object exports to the runtime                                    */
/* ------------------------------------------------------------------------ */

/* What a variant needs beyond its level: bit TENON_CPU_FEATURE_SHIFT + index
 * of tenon_variant.cpu_level is set when its code may use LLVM's feature of
 * that name. X(index, LLVM's name) */
#define TENON_CPU_FEATURES(X)                                                  \
  X(0, "avx512ifma")                                                           \
  X(1, "avx512vbmi")                                                           \
  X(2, "avx512vbmi2")                                                          \
  X(3, "avx512vnni")                                                           \
  X(4, "avx512bitalg")                                                         \
  X(5, "avx512vpopcntdq")                                                      \
  X(6, "avx512bf16")                                                           \
  X(7, "avx512fp16")                                                           \
  X(8, "gfni")                                                                 \
  X(9, "avxvnni")                                                              \
  X(10, "sse4a")                                                               \
  X(11, "xop")                                                                 \
  X(12, "fma4")                                                                \
  X(13, "tbm")                                                                 \
  X(14, "adx")                                                                 \
  X(15, "aes")                                                                 \
  X(16, "pclmul")                                                              \
  X(17, "vaes")                                                                \
  X(18, "vpclmulqdq")                                                          \
  X(19, "sha")                                                                 \
  X(20, "avxifma")                                                             \
  X(21, "amx-tile")                                                            \
  X(22, "amx-bf16")
enum { TENON_CPU_LEVEL_MASK = 0xff, TENON_CPU_FEATURE_SHIFT = 8 };

/* Code for one kind of CPU. The low byte of cpu_level is 0 (any CPU of the
 * architecture) or the x86-64 level 2, 3 or 4; see TENON_CPU_FEATURES for the
 * rest. */
typedef struct tenon_variant {
  uint32_t cpu_level;
  const char *cpu;               /* "znver4"; NULL: any CPU of the level */
  const tenon_entry_fn *entries; /* in the signature's order */
} tenon_variant;

/* Code for one kind of GPU. */
typedef struct tenon_device_image {
  const char *architecture; /* for messages: "sm_80" */
  const void *data;         /* PTX, which ends in a zero */
  uint64_t bytes;
} tenon_device_image;

/* What a model has for GPUs. `entries` launch kernels on the device and expect
 * all tensors in memory that both the device and the CPU reach, results in
 * memory of the instance (NULL); `calls` are the same entries for tensors
 * anywhere, by tenon_device_call. */
typedef struct tenon_device_code {
  const struct tenon_device_functions *functions; /* &tenon_cuda */
  uint32_t kernel_count;
  uint32_t image_count;
  const char *const *kernels;       /* their names in the images, by number */
  const tenon_device_image *images; /* the newest architecture first */
  const tenon_entry_fn *entries;
  const tenon_entry_fn *calls;
} tenon_device_code;

/* The descriptor of a model, one per object. Variants may stand in any order;
 * the runtime takes the highest cpu_level that this machine can run. */
typedef struct tenon_model {
  uint32_t abi_version; /* TENON_ABI_VERSION */
  uint32_t variant_count;
  const char *name;
  const void *signature; /* FlatBuffers table, see signature.fbs */
  size_t signature_bytes;
  const char *const *weights; /* where the pointer to the weights stands, NULL
                                 when they are in the file weights_file */
  uint64_t weights_bytes;
  const char *weights_file; /* name beside the artifact, or NULL */
  const tenon_variant *variants;
  /* &tenon_map_weights when the weights are in a file, else NULL: then that
   * part of the runtime is not linked. */
  char *(*map_weights)(const struct tenon_model *model, const char *path,
                       char *error, size_t room);
  /* &tenon_cpu_features when a variant's cpu_level has such bits, likewise. */
  uint32_t (*cpu_features)(void);
  /* &tenon_views but in executables, whose tensors are dense, likewise. */
  const struct tenon_view_functions *views;
  /* &tenon_threads when an entry has kernels of several tasks, else NULL,
   * likewise: then no thread is ever started. */
  const struct tenon_thread_functions *thread_functions;
  /* &tenon_strings in an executable whose model has strings, and
   * &tenon_checkpoints in one whose model has variables, else NULL,
   * likewise. */
  const struct tenon_string_functions *strings;
  const struct tenon_checkpoint_functions *checkpoints;
  /* &tenon_training in an executable that was compiled to be trained, else
   * NULL, likewise. */
  const struct tenon_training_functions *training;
  /* Code for GPUs, or NULL. */
  const tenon_device_code *device;
} tenon_model;

/* Maps the file of external weights: `path`, or, for NULL, the model's
 * weights_file beside the executable or library that holds the model. NULL
 * with a text in `error` when it is missing or not this model's. */
char *tenon_map_weights(const tenon_model *model, const char *path, char *error,
                        size_t room);

/* The bits of TENON_CPU_FEATURES that this machine has. */
uint32_t tenon_cpu_features(void);

/* Strides, the thread pool, files and text of strings, how --save and --restore
 * work, and the commands fit and evaluate; private to the runtime. */
extern const struct tenon_view_functions tenon_views;
extern const struct tenon_thread_functions tenon_threads;
extern const struct tenon_string_functions tenon_strings;
extern const struct tenon_checkpoint_functions tenon_checkpoints;
extern const struct tenon_training_functions tenon_training;
extern const struct tenon_device_functions tenon_cuda;

/* The model of a generated executable; runtime/main reads it. */
extern const tenon_model tenon_main_model;

/* ------------------------------------------------------------------------ */
/* Runtime functions that generated code calls                              */
/* ------------------------------------------------------------------------ */

/* Calls entry `entry` without checking anything: forgets the last failure,
 * takes back what the last call got from tenon_alloc, and calls
 * instance->entries[entry]. Wrappers for static shapes are one call of it. */
int32_t tenon_invoke(tenon_instance *instance, int32_t entry,
                     const void *const *inputs, void **outputs, int64_t *dims);

/* For plans that depend on sizes: makes instance->arena at least `bytes` long
 * and returns it (64-byte aligned). Grows only when needed, never shrinks; its
 * contents are lost when it grows. NULL after recording a failure (also for a
 * negative size). */
char *tenon_reserve(tenon_instance *instance, int64_t bytes);

/* Memory whose size depends on data: 64-byte aligned, never NULL for
 * bytes = 0; NULL after recording a failure. Released blocks are reused by
 * later allocations; whatever is live when the next call of an entry begins
 * is released then. Not to be called inside a kernel. */
void *tenon_alloc(tenon_instance *instance, int64_t bytes);
void tenon_free(tenon_instance *instance, void *memory);

/* Records a failure: the first one of a call wins. `site` indexes `failures`
 * of the signature, a message in which %a, %b and %% stand for the values and
 * a percent sign. Safe inside kernels. Returns the status to return, not 0. */
int32_t tenon_fail(tenon_instance *instance, int32_t site, int64_t a,
                   int64_t b);

/* Starts all tasks of a kernel of the GPU, by its number, with `words` as
 * arguments, behind what was started before; `kernel_id` indexes `kernels` of
 * the signature. tenon_cuda_wait returns when all that was started has ended.
 * tenon_device_call is entry `entry` with tensors in anybody's memory. */
void tenon_cuda_launch(tenon_instance *instance, int32_t kernel,
                       const uint64_t *words, int64_t tasks, int32_t kernel_id);
void tenon_cuda_wait(tenon_instance *instance);
int32_t tenon_device_call(tenon_instance *instance, int32_t entry,
                          const void *const *inputs, void **outputs,
                          int64_t *dims);

/* One call of a function of the runtime that does an operation of the model:
 * int32_t tenon_host_NAME(const tenon_host_call *). The first input is bytes,
 * the source node's name and the operation's attributes. Tensors are dense. An
 * output whose device type is not 0 has memory of its final size; for others
 * the function sets data and those sizes that are -1. Returns 0 or the
 * instance's status; in a call that has failed before it does nothing. */
typedef struct tenon_host_call {
  tenon_instance *instance;
  const tenon_tensor *inputs;
  tenon_tensor *outputs;
  int32_t input_count;
  int32_t output_count;
} tenon_host_call;

/* The entries of the best variant for this machine, NULL when there is none:
 * for wrappers that are called without an instance. Cheap after the first
 * call in a process. */
const tenon_entry_fn *tenon_select(const tenon_model *model);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TENON_ABI_H */
