#include "image.h"

#include <cstdint>
#include <cstring>

namespace standin {

namespace {

constexpr std::uint32_t fatbin_magic = 0xba55ed50;
constexpr unsigned char elf_magic[] = {0x7f, 'E', 'L', 'F'};
constexpr std::uint16_t ptx_kind = 1;

struct FatbinHeader {
  std::uint32_t magic;
  std::uint16_t version, header_bytes;
  std::uint64_t bytes;  // of all entries
};

// The beginning of an entry's header.
struct FatbinEntry {
  std::uint16_t kind, version;
  std::uint32_t header_bytes;
  std::uint64_t bytes;             // of what follows the header
  std::uint32_t compressed_bytes;  // 0 if it is not compressed
  std::uint32_t unknown[2];
  std::uint32_t architecture;
};

template <class T>
T read(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

CUresult ptx_of_fatbin(const char* image, int architecture, std::string& ptx, std::string& why) {
  const auto header = read<FatbinHeader>(image);
  const char* at = image + header.header_bytes;
  const char* const end = at + header.bytes;
  std::uint32_t best = 0;
  why = "the fatbin holds no PTX for sm_" + std::to_string(architecture);
  while (at + sizeof(FatbinEntry) <= end) {
    const auto entry = read<FatbinEntry>(at);
    const char* const content = at + entry.header_bytes;
    at = content + entry.bytes;
    const bool usable = entry.kind == ptx_kind && entry.architecture <= static_cast<std::uint32_t>(architecture);
    if (!usable || entry.architecture < best || at > end) continue;
    if (entry.compressed_bytes != 0) {
      why = "the PTX in the fatbin is compressed; make it with fatbinary --compress=false";
      continue;
    }
    best = entry.architecture;
    ptx.assign(content, strnlen(content, entry.bytes));
  }
  return ptx.empty() ? CUDA_ERROR_NO_BINARY_FOR_GPU : CUDA_SUCCESS;
}

}  // namespace

CUresult ptx_of_image(const void* image, int architecture, std::string& ptx, std::string& why) {
  const char* text = static_cast<const char*>(image);
  // Byte by byte: PTX may be shorter than four bytes.
  if (std::strncmp(text, reinterpret_cast<const char*>(&fatbin_magic), sizeof fatbin_magic) == 0) {
    return ptx_of_fatbin(text, architecture, ptx, why);
  }
  if (std::strncmp(text, reinterpret_cast<const char*>(elf_magic), sizeof elf_magic) == 0) {
    why = "the image is machine code";
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  }
  ptx = text;
  if (ptx.find(".version") != std::string::npos) return CUDA_SUCCESS;
  why = "the image is neither PTX nor a fatbin";
  return CUDA_ERROR_INVALID_IMAGE;
}

}  // namespace standin
