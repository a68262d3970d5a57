// dlopen PATH: a program with its own copy of corrbank loads another one. Each works, and neither calls into the other.
#include <corrbank/corrbank.h>
#include <dlfcn.h>

#include <cstdio>

namespace {

struct Copy {
  decltype(&corrbank_bank_create) create;
  decltype(&corrbank_bank_destroy) destroy;
  decltype(&corrbank_correlate) correlate;
  decltype(&corrbank_version) version;
};

template <typename Function>
void load(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) std::fprintf(stderr, "dlopen: %s\n", dlerror());
}

// 2 * 3, the smallest correlation there is.
bool works(const Copy& copy) {
  const float pixel = 2, weight = 3;
  float out = 0;
  const corrbank_image image{sizeof image, &pixel, CORRBANK_F32, 1, 1, 1, 1, 1};
  const corrbank_kernels kernels{sizeof kernels, &weight, CORRBANK_F32, 1, 1, 1, 1, 1, 1, 1};
  const corrbank_responses responses{sizeof responses, &out, CORRBANK_F32, 1, 1, 1, 1, 1};
  corrbank_bank* bank = nullptr;
  char message[224] = "";
  if (copy.create(&kernels, nullptr, &bank, message) != CORRBANK_OK ||
      copy.correlate(&image, bank, &responses, nullptr, message) != CORRBANK_OK)
    std::fprintf(stderr, "dlopen: %s\n", message);
  copy.destroy(bank);
  return out == 6;
}

}  // namespace

int main(int argc, char** argv) {
  void* library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (library == nullptr) {
    std::fprintf(stderr, "dlopen: %s\n", argc == 2 ? dlerror() : "one path is needed");
    return 1;
  }
  const Copy linked{corrbank_bank_create, corrbank_bank_destroy, corrbank_correlate, corrbank_version};
  Copy loaded{};
  load(library, "corrbank_bank_create", loaded.create);
  load(library, "corrbank_bank_destroy", loaded.destroy);
  load(library, "corrbank_correlate", loaded.correlate);
  load(library, "corrbank_version", loaded.version);
  if (!loaded.create || !loaded.destroy || !loaded.correlate || !loaded.version) return 1;
  if (loaded.correlate == linked.correlate) {
    std::fprintf(stderr, "dlopen: the loaded library is the linked one\n");
    return 1;
  }
  if (!works(linked) || !works(loaded)) return 1;
  std::printf("corrbank %s linked, %s loaded\n", linked.version(), loaded.version());
  return 0;
}
