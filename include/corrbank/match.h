/* Matching templates for C and for dlopen(): the verbs of match.hpp with plain structs, as corrbank.h has those of
 * corrbank.hpp. C99. Scores, degenerate cases and accuracy are those of match.hpp.
 */
#ifndef CORRBANK_MATCH_H
#define CORRBANK_MATCH_H

#include <corrbank/corrbank.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Values of corrbank::Method: what a score is. */
enum {
  CORRBANK_CCORR = 0,
  CORRBANK_CCORR_NORMED = 1,
  CORRBANK_SQDIFF = 2,
  CORRBANK_SQDIFF_NORMED = 3,
  CORRBANK_CCOEFF = 4,
  CORRBANK_CCOEFF_NORMED = 5,
  CORRBANK_ZNCC = 6
};

enum { CORRBANK_NO_REFINEMENT = 0, CORRBANK_PARABOLA = 1, CORRBANK_LOG_GAUSSIAN = 2 }; /* refinement */

typedef struct corrbank_templates corrbank_templates;

/* Which matches corrbank_find() looks for. */
typedef struct corrbank_find_options {
  size_t size;
  int64_t top;           /* of each template at most; 0 means 1, CORRBANK_ALL all that reach the threshold */
  int32_t has_threshold; /* 0: any score, else at least, or of distances at most, `threshold` */
  int32_t refinement;
  double threshold;
  int32_t has_min_distance, has_max_overlap; /* 0: half the template's smaller side; all overlaps count */
  int64_t min_distance;
  double max_overlap;
  int64_t region_y, region_x, region_height, region_width; /* all 0: the whole image */
} corrbank_find_options;

enum { CORRBANK_ALL = -1 };

typedef struct corrbank_peak {
  int64_t template_index;
  int64_t y, x; /* first pixel of the window */
  double score;
  double refined_y, refined_x; /* y and x without refinement */
} corrbank_peak;

/* For all calls: `options` and `message` as in corrbank.h. */

/* Prepares templates for one method. `masks` may be null. On success *made is to be given to corrbank_templates_destroy(); on
 * refusal it is left as it was. */
CORRBANK_C_API corrbank_status corrbank_templates_create(const corrbank_kernels* templates, int32_t method,
                                                         const corrbank_kernels* masks, const corrbank_options* options,
                                                         corrbank_templates** made, char* message);
/* Null is allowed. */
CORRBANK_C_API void corrbank_templates_destroy(corrbank_templates* templates);
CORRBANK_C_API size_t corrbank_templates_bytes(const corrbank_templates* templates);
CORRBANK_C_API const char* corrbank_templates_target(const corrbank_templates* templates);
/* 1 if template `index` can have a score at all, else 0. */
CORRBANK_C_API int corrbank_templates_valid(const corrbank_templates* templates, int64_t index);

/* `valid` may be null. */
CORRBANK_C_API corrbank_status corrbank_match(const corrbank_image* image, const corrbank_templates* templates,
                                              const corrbank_responses* scores, uint8_t* valid,
                                              const corrbank_options* options, char* message);
CORRBANK_C_API corrbank_status corrbank_match_best(const corrbank_image* image, const corrbank_templates* templates,
                                                   const corrbank_responses* scores, int32_t* best,
                                                   const corrbank_options* options, char* message);
/* Writes the first `capacity` of the peaks that there are, and to *count how many that is. `find_options` may be null, as
 * may `peaks` if `capacity` is 0. */
CORRBANK_C_API corrbank_status corrbank_find(const corrbank_image* image, const corrbank_templates* templates,
                                             const corrbank_find_options* find_options, corrbank_peak* peaks,
                                             size_t capacity, size_t* count, const corrbank_options* options,
                                             char* message);
CORRBANK_C_API corrbank_status corrbank_match_workspace_bytes(const corrbank_image* image,
                                                              const corrbank_templates* templates,
                                                              const corrbank_options* options, size_t* bytes,
                                                              char* message);
CORRBANK_C_API corrbank_status corrbank_match_warmup(const corrbank_image* image, const corrbank_templates* templates,
                                                     const corrbank_options* options, char* message);
/* plan->size is set by the caller. */
CORRBANK_C_API corrbank_status corrbank_match_plan(const corrbank_image* image, const corrbank_templates* templates,
                                                   const corrbank_options* options, corrbank_plan_info* plan,
                                                   char* message);

#ifdef __cplusplus
}
#endif

#endif
