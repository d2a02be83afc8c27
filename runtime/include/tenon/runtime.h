/* The user's interface to compiled models. The header that `tenon compile`
 * writes wraps these functions under the model's name; they can also be
 * called directly. */
#ifndef TENON_RUNTIME_H
#define TENON_RUNTIME_H

#include "tenon/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Status codes of calls. */
enum {
  TENON_OK = 0,
  TENON_INVALID = 1,   /* an argument does not fit the signature */
  TENON_NO_MEMORY = 2, /* memory could not be had */
  TENON_FAILED = 3     /* the model itself failed at run time */
};

/* How to make an instance. Zero everything, set struct_size and what matters:
 *   tenon_options options = {.struct_size = sizeof options, .threads = 1}; */
typedef struct tenon_options {
  size_t struct_size;
  int32_t threads;          /* pool size; 1: no thread is ever made; 0: as many
                               as there are cores for this process */
  int32_t cpu_level;        /* 0: the best variant; 2, 3, 4: at most that one */
  const char *weights_path; /* file of external weights; NULL: beside the
                               artifact */
  /* Memory: NULL uses the C library and mmap. `allocate` returns NULL when
     there is none; `release` gets the size that was asked for. On a GPU the
     driver's memory is used instead. */
  void *(*allocate)(void *context, size_t bytes, size_t alignment);
  void (*release)(void *context, void *memory, size_t bytes);
  void *allocator_context;
  const char *device; /* NULL or "auto": a GPU if there is one that the model
                         has code for, else the CPU; "cpu"; "cuda", "cuda:1":
                         that GPU or failure */
  /* Called with the text of every failure, that of creation too. */
  void (*on_error)(void *context, const char *message);
  void *error_context;
  int32_t check_numerics; /* not 0: fail with the name of the first node whose
                             result has a NaN or infinity, in a model compiled
                             with --check-numerics */
} tenon_options;

/* Makes an instance: variables with their first values, arena, threads.
 * An instance may be used by one thread at a time. `options` may be NULL.
 * Returns NULL on failure; tenon_error(NULL) says why. */
tenon_instance *tenon_create(const tenon_model *model,
                             const tenon_options *options);

/* Ends an instance and all memory that it lent out. NULL is allowed. */
void tenon_destroy(tenon_instance *instance);

/* Calls entry number `entry`.
 *   inputs   one per input of the signature; NULL takes the input's default.
 *            dtype, rank, static sizes and equal symbols are checked; views
 *            with strides are copied into dense memory first.
 *   outputs  one per output. The caller fills shape and data; the shape must
 *            be the result's (for sizes that only the call finds out: at
 *            least as large in all). Where data is NULL, data and shape are
 *            set to memory of the instance, valid until its next call. dtype,
 *            ndim and the contents of shape are always written.
 * Returns TENON_OK, or another status with the text in tenon_error. */
int32_t tenon_call(tenon_instance *instance, int32_t entry,
                   const tenon_tensor *const *inputs,
                   tenon_tensor *const *outputs);

/* Text of the last failure of this instance, "" when there was none. With
 * NULL: of the last failed tenon_create in this thread. */
const char *tenon_error(const tenon_instance *instance);

/* Entry points: how many, their names (NULL outside), the number of a name or
 * -1. */
int32_t tenon_entry_count(const tenon_instance *instance);
const char *tenon_entry_name(const tenon_instance *instance, int32_t entry);
int32_t tenon_entry_index(const tenon_instance *instance, const char *name);

/* The embedded FlatBuffers table (signature.fbs) and its size. */
const void *tenon_signature(const tenon_instance *instance, size_t *bytes);

/* Variables by name, as checkpoints have them: `value` is set to the variable's
 * own memory, valid until the instance ends; or the variable to the value of a
 * dense tensor of its type and shape. TENON_INVALID when there is no such
 * variable or the tensor does not fit, TENON_FAILED when it is uninitialized.
 */
int32_t tenon_get_variable(tenon_instance *instance, const char *name,
                           tenon_tensor *value);
int32_t tenon_set_variable(tenon_instance *instance, const char *name,
                           const tenon_tensor *value);

/* All variables to a TensorFlow checkpoint of that prefix, and from one: a
 * prefix, a folder (its latest) or an .npz file. TENON_FAILED with the text in
 * tenon_error; after a failed restore some variables may have new values. */
int32_t tenon_save(tenon_instance *instance, const char *prefix);
int32_t tenon_restore(tenon_instance *instance, const char *path);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TENON_RUNTIME_H */
