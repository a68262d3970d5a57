/* The C ABI as a C99 program uses it. */
#include "c_api_test.h"

#include <corrbank/corrbank.h>
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
