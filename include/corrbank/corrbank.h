/* corrbank for C and for dlopen(): the verbs of corrbank.hpp with plain structs. C99.
 *
 * Formulas, limits, threads, allocation and errors are those of corrbank.hpp. Stable under semantic versioning: structs
 * start with their own size, so that later versions can add fields behind. Set every struct to zero first, then `size`
 * to its sizeof; what stays zero has its default. Structs of an earlier version, which are shorter, are taken. A call that
 * refuses has written nothing but its message.
 */
#ifndef CORRBANK_CORRBANK_H
#define CORRBANK_CORRBANK_H

#include <stddef.h>
#include <stdint.h>

#if defined(CORRBANK_SHARED) && defined(__GNUC__)
#define CORRBANK_C_API __attribute__((visibility("default")))
#else
#define CORRBANK_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Values of corrbank::StatusCode (status.hpp). */
typedef enum corrbank_status {
  CORRBANK_OK = 0,
  CORRBANK_NULL_POINTER = 1,
  CORRBANK_BAD_EXTENT = 2,
  CORRBANK_BAD_STRIDE = 3,
  CORRBANK_MISALIGNED = 4,
  CORRBANK_OVERLAP = 5,
  CORRBANK_TOO_LARGE = 6,
  CORRBANK_BAD_OPTION = 7, /* also: a struct's size is unknown to this version */
  CORRBANK_UNKNOWN_TARGET = 8,
  CORRBANK_TARGET_UNAVAILABLE = 9,
  CORRBANK_BANK_MISMATCH = 10,
  CORRBANK_WORKSPACE_TOO_SMALL = 11,
  CORRBANK_OUT_OF_MEMORY = 12,
  CORRBANK_BAD_DEVICE = 13,
  CORRBANK_DEVICE_ERROR = 14,
  CORRBANK_ALGORITHM_UNAVAILABLE = 15
} corrbank_status;

enum { CORRBANK_F32 = 0, CORRBANK_U8 = 1, CORRBANK_U16 = 2, CORRBANK_I32 = 3 }; /* dtype; others than f32: match.h */
enum { CORRBANK_CPU = 0, CORRBANK_CUDA = 1 }; /* device_type: where a view's memory lies */
enum { CORRBANK_AUTOMATIC = 0, CORRBANK_DIRECT = 1, CORRBANK_WINOGRAD = 2, CORRBANK_FFT = 3 }; /* algorithm */
enum { CORRBANK_FAST = 0, CORRBANK_EXACTNESS_DIRECT = 1 };                                     /* exactness */

/* Strides count elements; columns are adjacent. */
typedef struct corrbank_image {
  size_t size;
  const void* data;
  int32_t dtype;
  int64_t channels, height, width;
  int64_t channel_stride, row_stride;
  int32_t device_type, device_index; /* since 0.2 */
} corrbank_image;

typedef struct corrbank_kernels {
  size_t size;
  const void* data;
  int32_t dtype;
  int64_t count, channels, height, width;
  int64_t kernel_stride, channel_stride, row_stride;
  int32_t device_type, device_index; /* since 0.2 */
} corrbank_kernels;

typedef struct corrbank_responses {
  size_t size;
  void* data;
  int32_t dtype;
  int64_t count, height, width;
  int64_t kernel_stride, row_stride;
  int32_t device_type, device_index; /* since 0.2 */
} corrbank_responses;

/* The caller's own threads: see corrbank::Executor. Unused if run is null. */
typedef struct corrbank_executor {
  void (*run)(void* context, int tasks, void (*task)(void* argument, int index), void* argument);
  void* context;
} corrbank_executor;

typedef struct corrbank_options {
  size_t size;
  int32_t algorithm;
  int32_t threads;    /* 0 means 1 */
  const char* target; /* null: the best */
  corrbank_executor executor;
  void* workspace; /* null: the call allocates its own */
  size_t workspace_size;
  int32_t device;         /* since 0.2 */
  void* stream;           /* since 0.2: a CUstream */
  int32_t exactness;      /* since 0.3 */
  int32_t expected_calls; /* since 0.3; 0: many */
  size_t workspace_limit; /* since 0.3; 0: none */
} corrbank_options;

typedef struct corrbank_plan_info {
  size_t size;
  const char* algorithm;
  const char* target;
  int32_t threads, tasks;
  size_t workspace_bytes;
  double flops, predicted_efficiency;
  char text[512];
  double predicted_seconds; /* since 0.3 */
  size_t bank_bytes;        /* since 0.3 */
  char others[512];         /* since 0.3 */
} corrbank_plan_info;

typedef struct corrbank_bank corrbank_bank;

/* For all calls: `options` may be null for the defaults; `message`, if not null, points to 224 chars that receive the
 * reason of a refusal ("" on success). */

/* Packs kernels. On success *bank is a bank to be given to corrbank_bank_destroy(); on refusal it is left as it was. */
CORRBANK_C_API corrbank_status corrbank_bank_create(const corrbank_kernels* kernels, const corrbank_options* options,
                                                    corrbank_bank** bank, char* message);
/* Null is allowed. */
CORRBANK_C_API void corrbank_bank_destroy(corrbank_bank* bank);
CORRBANK_C_API size_t corrbank_bank_bytes(const corrbank_bank* bank);
CORRBANK_C_API const char* corrbank_bank_target(const corrbank_bank* bank);

CORRBANK_C_API corrbank_status corrbank_correlate(const corrbank_image* image, const corrbank_bank* bank,
                                                  const corrbank_responses* responses, const corrbank_options* options,
                                                  char* message);
CORRBANK_C_API corrbank_status corrbank_workspace_bytes(const corrbank_image* image, const corrbank_bank* bank,
                                                        const corrbank_options* options, size_t* bytes, char* message);
CORRBANK_C_API corrbank_status corrbank_warmup(const corrbank_image* image, const corrbank_bank* bank,
                                               const corrbank_options* options, char* message);
/* plan->size is set by the caller. */
CORRBANK_C_API corrbank_status corrbank_plan(const corrbank_image* image, const corrbank_bank* bank,
                                             const corrbank_options* options, corrbank_plan_info* plan, char* message);

/* Null behind the last. */
CORRBANK_C_API const char* const* corrbank_targets(void);
CORRBANK_C_API const char* corrbank_version(void);

#ifdef __cplusplus
}
#endif

#endif
