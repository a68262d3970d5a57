/* The C ABI as a C99 program uses it. */
#include "c_api_test.h"

#include <corrbank/corrbank.h>
#include <corrbank/match.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char problem[640];

static const char* report(const char* verb, const char* message) {
  snprintf(problem, sizeof problem, "%s: %s", verb, message);
  return problem;
}

static const char* with_bank(const corrbank_bank* bank, const char* target, const float* image, float* responses) {
  char message[224];
  corrbank_image pixels = {sizeof pixels, image, CORRBANK_F32, 2, 5, 10, 50, 10, CORRBANK_CPU, 0};
  corrbank_responses out = {sizeof out, responses, CORRBANK_F32, 3, 3, 8, 24, 8, CORRBANK_CPU, 0};
  corrbank_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;

  if (strcmp(corrbank_bank_target(bank), target) != 0) return report("bank_target", corrbank_bank_target(bank));
  if (corrbank_bank_bytes(bank) < 3 * 2 * 3 * 3 * sizeof(float)) return report("bank_bytes", "less than the kernels");

  corrbank_plan_info plan;
  plan.size = sizeof plan;
  if (corrbank_plan(&pixels, bank, &options, &plan, message) != CORRBANK_OK) return report("plan", message);
  if (strcmp(plan.algorithm, "direct") != 0) return report("plan.algorithm", plan.algorithm);
  if (strcmp(plan.target, target) != 0) return report("plan.target", plan.target);
  if (plan.threads != 1 || plan.tasks < 1) return report("plan.threads, plan.tasks", plan.text);
  if (plan.flops != 2.0 * 3 * 2 * 3 * 3 * 3 * 8) return report("plan.flops", plan.text);
  if (strstr(plan.text, target) == NULL) return report("plan.text", plan.text);

  if (corrbank_workspace_bytes(&pixels, bank, &options, &options.workspace_size, message) != CORRBANK_OK) {
    return report("workspace_bytes", message);
  }
  if (options.workspace_size != plan.workspace_bytes) return report("workspace_bytes", "not the plan's");
  options.workspace = malloc(options.workspace_size);
  const corrbank_status status = corrbank_correlate(&pixels, bank, &out, &options, message);
  free(options.workspace);
  if (status != CORRBANK_OK) return report("correlate", message);
  return message[0] == '\0' ? "" : report("correlate, which succeeded", message);
}

const char* c_small_case(const char* target, const float* image, const float* kernels, float* responses) {
  char message[224];
  corrbank_kernels weights = {sizeof weights, kernels, CORRBANK_F32, 3, 2, 3, 3, 18, 9, 3, CORRBANK_CPU, 0};
  corrbank_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.target = target;
  corrbank_bank* bank = NULL;
  if (corrbank_bank_create(&weights, &options, &bank, message) != CORRBANK_OK) return report("bank_create", message);
  const char* answer = with_bank(bank, target, image, responses);
  corrbank_bank_destroy(bank);
  return answer;
}

static const char* match_both(const corrbank_templates* by_sums, const corrbank_templates* by_noise,
                              const corrbank_image* image, const corrbank_responses* scores, int* places) {
  char message[224];
  if (corrbank_match(image, by_sums, scores, NULL, NULL, message) != CORRBANK_OK) return report("match", message);
  corrbank_peak peaks[2];
  size_t count = 0;
  if (corrbank_find(image, by_noise, NULL, peaks, 2, &count, NULL, message) != CORRBANK_OK) {
    return report("find", message);
  }
  if (count != 2) return report("find", "not one peak of each template");
  for (int k = 0; k < 2; ++k) {
    if (peaks[k].template_index != k) return report("find", "peaks are out of order");
    places[2 * k] = (int)peaks[k].y;
    places[2 * k + 1] = (int)peaks[k].x;
  }
  return "";
}

const char* c_match_case(const char* target, const unsigned char* image, const unsigned char* templates, int* scores,
                         int* places) {
  char message[224];
  corrbank_image pixels = {sizeof pixels, image, CORRBANK_U8, 1, 20, 30, 600, 30, CORRBANK_CPU, 0};
  corrbank_kernels parts = {sizeof parts, templates, CORRBANK_U8, 2, 1, 5, 6, 30, 30, 6, CORRBANK_CPU, 0};
  corrbank_responses out = {sizeof out, scores, CORRBANK_I32, 2, 16, 25, 400, 25, CORRBANK_CPU, 0};
  corrbank_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.target = target;
  corrbank_templates *by_sums = NULL, *by_noise = NULL;
  const char* answer = "";
  if (corrbank_templates_create(&parts, CORRBANK_CCORR, NULL, &options, &by_sums, message) != CORRBANK_OK ||
      corrbank_templates_create(&parts, CORRBANK_CCOEFF_NORMED, NULL, &options, &by_noise, message) != CORRBANK_OK) {
    answer = report("templates_create", message);
  } else if (strcmp(corrbank_templates_target(by_sums), target) != 0 || corrbank_templates_bytes(by_sums) < 60 ||
             !corrbank_templates_valid(by_sums, 1) || corrbank_templates_valid(by_sums, 2)) {
    answer = report("templates", "not what was made");
  } else {
    answer = match_both(by_sums, by_noise, &pixels, &out, places);
  }
  corrbank_templates_destroy(by_sums);
  corrbank_templates_destroy(by_noise);
  return answer;
}
