#include "shims/cuda/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>

namespace vgpu::cuda {
namespace {

// No module comes near it, and sums of 64-bit fields below it cannot overflow.
constexpr uint64_t kMaxImage = uint64_t{1} << 34;
constexpr uint64_t kMaxVariable = uint64_t{1} << 34;

// Bytes that were declared and are there.
class Bytes {
 public:
  Bytes(const uint8_t* data, uint64_t size) : data_(data), size_(size) {}

  uint64_t size() const { return size_; }
  const uint8_t* data() const { return data_; }
  bool Has(uint64_t offset, uint64_t count) const {
    return offset <= size_ && count <= size_ - offset;
  }
  // 0 beyond the end.
  template <typename T>
  T Get(uint64_t offset) const {
    T value = 0;
    if (data_ != nullptr && Has(offset, sizeof(T))) memcpy(&value, data_ + offset, sizeof(T));
    return value;
  }
  Bytes Sub(uint64_t offset, uint64_t count) const {
    if (!Has(offset, count)) return {nullptr, 0};
    return {data_ + offset, count};
  }
  // The text at `offset` up to its NUL; empty where there is none.
  std::string_view Text(uint64_t offset) const {
    if (offset >= size_) return {};
    const void* end = memchr(data_ + offset, 0, size_ - offset);
    if (end == nullptr) return {};
    return {reinterpret_cast<const char*>(data_ + offset),
            static_cast<size_t>(static_cast<const uint8_t*>(end) - (data_ + offset))};
  }

 private:
  const uint8_t* data_;
  uint64_t size_;
};

// Whether all pages of it are mapped: msync(2) says ENOMEM of one that is not, and does nothing
// to those that are.
bool Mapped(const void* data, uint64_t size) {
  if (size == 0 || size > kMaxImage) return false;
  const auto begin = reinterpret_cast<uintptr_t>(data);
  if (begin + size < begin) return false;
  constexpr uintptr_t kPage = 4096;
  const uintptr_t first = begin & ~(kPage - 1);
  const int kept = errno;
  const bool mapped = msync(reinterpret_cast<void*>(first), begin + size - first, MS_ASYNC) == 0;
  errno = kept;
  return mapped;
}

// `size` bytes at `data`; of a caller that gave no size, if the process has them.
Bytes Take(const void* data, uint64_t size, uint64_t limit) {
  const bool there = limit == kUnknownSize ? Mapped(data, size) : size <= limit;
  return there ? Bytes(static_cast<const uint8_t*>(data), size) : Bytes(nullptr, 0);
}

char* CopyText(std::string_view text) {
  auto* copy = static_cast<char*>(malloc(text.size() + 1));
  if (copy == nullptr) return nullptr;
  memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

CUresult AddKernel(std::string_view name, ImageKernel kernel, Image* image) {
  kernel.name = CopyText(name);
  if (kernel.name != nullptr && image->kernels.Push(kernel)) return CUDA_SUCCESS;
  free(kernel.name);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

// `initial` is empty where it begins as zeros.
CUresult AddVariable(std::string_view name, uint64_t bytes, Bytes initial, Image* image) {
  if (bytes > kMaxVariable) return CUDA_ERROR_INVALID_IMAGE;
  ImageVariable variable;
  variable.bytes = bytes;
  variable.name = CopyText(name);
  if (variable.name == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  if (initial.size() != 0) {
    variable.initial = static_cast<uint8_t*>(malloc(initial.size()));
    if (variable.initial != nullptr) memcpy(variable.initial, initial.data(), initial.size());
  }
  if ((initial.size() == 0 || variable.initial != nullptr) && image->variables.Push(variable)) {
    return CUDA_SUCCESS;
  }
  free(variable.initial);
  free(variable.name);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

// --- Cubins

constexpr uint16_t kMachineCuda = 190;  // EM_CUDA
constexpr uint64_t kElfHeader = 64;
constexpr uint64_t kSectionHeader = 64;
constexpr uint64_t kSymbol = 24;
constexpr uint32_t kSectionSymbols = 2;  // SHT_SYMTAB
constexpr uint32_t kSectionInfo = 0x70000000;
constexpr uint8_t kEntry = 0x10;  // STO_CUDA_ENTRY: a kernel, not a device function

// .nv.info: { u8 format, u8 attribute, u16 size }, then `size` bytes where the format is 4.
constexpr uint8_t kInfoSized = 4;
constexpr uint8_t kInfoMaxThreads = 0x05;
constexpr uint8_t kInfoFrameSize = 0x11;
constexpr uint8_t kInfoRegisters = 0x2f;

// Sections that take no room in the file: SHT_NOBITS, .nv.global, .nv.local, .nv.shared.*.
constexpr bool IsEmpty(uint32_t type) {
  return type == 8 || type == 0x70000007 || type == 0x70000009 || type == 0x7000000a;
}

struct Section {
  std::string_view name;
  uint32_t type = 0;
  uint32_t link = 0;
  uint32_t info = 0;  // of .nv.info.* and .nv.shared.*: the section with the function's code
  uint64_t offset = 0;
  uint64_t size = 0;
};

// What other sections say of the code in one.
struct CodeNotes {
  uint32_t info;    // the section .nv.info.*; 0: none
  uint64_t shared;  // bytes
};

class Cubin {
 public:
  explicit Cubin(Bytes bytes) : bytes_(bytes) {}

  // How far the headers say that it reaches, of an ELF header that is whole; 0: no cubin.
  static uint64_t Extent(const void* data, uint64_t limit) {
    const Bytes header = Take(data, kElfHeader, limit);
    if (header.size() == 0 || header.Get<uint16_t>(18) != kMachineCuda) return 0;
    if (header.Get<uint16_t>(58) != kSectionHeader) return 0;
    const auto table = header.Get<uint64_t>(40);
    const uint64_t table_size = header.Get<uint16_t>(60) * kSectionHeader;
    if (table > kMaxImage) return 0;
    uint64_t extent = std::max(kElfHeader, table + table_size);
    const Bytes sections = Take(data, extent, limit);
    if (sections.size() == 0) return 0;
    for (uint64_t at = table; at < table + table_size; at += kSectionHeader) {
      if (IsEmpty(sections.Get<uint32_t>(at + 4))) continue;
      const auto offset = sections.Get<uint64_t>(at + 24);
      const auto size = sections.Get<uint64_t>(at + 32);
      if (offset > kMaxImage || size > kMaxImage) return 0;
      extent = std::max(extent, offset + size);
    }
    return extent;
  }

  // 90 of sm_90. The ABI of CUDA 12.8 and later has it in the second byte of e_flags.
  int Architecture() const {
    const auto flags = bytes_.Get<uint32_t>(48);
    return static_cast<int>(bytes_.Get<uint8_t>(8) >= 8 ? (flags >> 8) & 0xff : flags & 0xff);
  }

  CUresult Read(Image* image) const {
    const uint64_t count = bytes_.Get<uint16_t>(60);
    image->binary_version = Architecture();
    List<CodeNotes> notes;
    for (uint64_t i = 0; i < count; ++i) {
      if (!notes.Push({0, 0})) return CUDA_ERROR_OUT_OF_MEMORY;
    }
    uint32_t all = 0;  // .nv.info: what is said of all functions
    for (uint32_t i = 0; i < count; ++i) {
      const Section section = At(i);
      if (section.name == ".nv.info") all = i;
      if (section.info >= count) continue;
      if (section.name.starts_with(".nv.info.")) notes[section.info].info = i;
      if (section.name.starts_with(".nv.shared.")) notes[section.info].shared = section.size;
    }
    for (uint64_t i = 0; i < count; ++i) {
      const Section symbols = At(i);
      if (symbols.type != kSectionSymbols) continue;
      if (CUresult error = ReadSymbols(symbols, At(all), notes, image)) return error;
    }
    return CUDA_SUCCESS;
  }

 private:
  Section At(uint64_t index) const {
    Section section;
    if (index >= bytes_.Get<uint16_t>(60)) return section;
    const uint64_t table = bytes_.Get<uint64_t>(40);
    const uint64_t at = table + index * kSectionHeader;
    // The section with the names of sections.
    const uint64_t names = table + bytes_.Get<uint16_t>(62) * kSectionHeader;
    section.name = bytes_.Sub(bytes_.Get<uint64_t>(names + 24), bytes_.Get<uint64_t>(names + 32))
                       .Text(bytes_.Get<uint32_t>(at));
    section.type = bytes_.Get<uint32_t>(at + 4);
    section.offset = bytes_.Get<uint64_t>(at + 24);
    section.size = bytes_.Get<uint64_t>(at + 32);
    section.link = bytes_.Get<uint32_t>(at + 40);
    section.info = bytes_.Get<uint32_t>(at + 44);
    return section;
  }

  // The value of `attribute`; of those of all functions, that of symbol `symbol`. -1: none.
  int Info(const Section& section, uint8_t attribute, uint32_t symbol) const {
    if (section.type != kSectionInfo) return -1;
    const Bytes info = bytes_.Sub(section.offset, section.size);
    for (uint64_t at = 0; info.Has(at, 4);) {
      const bool sized = info.Get<uint8_t>(at) == kInfoSized;
      const uint16_t size = sized ? info.Get<uint16_t>(at + 2) : 0;
      if (sized && info.Get<uint8_t>(at + 1) == attribute) {
        if (attribute == kInfoMaxThreads && size >= 12) {
          const uint64_t threads = uint64_t{info.Get<uint32_t>(at + 4)} *
                                   info.Get<uint32_t>(at + 8) * info.Get<uint32_t>(at + 12);
          return static_cast<int>(std::min<uint64_t>(threads, 1024));
        }
        if (size >= 8 && info.Get<uint32_t>(at + 4) == symbol) {
          return static_cast<int>(std::min<uint32_t>(info.Get<uint32_t>(at + 8), 0x7fffffff));
        }
      }
      at += 4 + uint64_t{size};
    }
    return -1;
  }

  CUresult ReadSymbols(const Section& symbols, const Section& info, const List<CodeNotes>& notes,
                       Image* image) const {
    const Section strings = At(symbols.link);
    const Bytes names = bytes_.Sub(strings.offset, strings.size);
    const Bytes table = bytes_.Sub(symbols.offset, symbols.size);
    for (uint64_t at = 0; table.Has(at, kSymbol); at += kSymbol) {
      const std::string_view name = names.Text(table.Get<uint32_t>(at));
      const uint8_t type = table.Get<uint8_t>(at + 4) & 0xf;
      const bool entry = (table.Get<uint8_t>(at + 5) & kEntry) != 0;
      const uint16_t where = table.Get<uint16_t>(at + 6);
      const Section home = At(where);
      if (name.empty() || home.type == 0) continue;
      if (type == 2 && entry) {  // STT_FUNC
        const auto index = static_cast<uint32_t>(at / kSymbol);
        const CodeNotes& code = notes[where];
        const ImageKernel kernel = {
            .registers = Info(info, kInfoRegisters, index),
            .shared_bytes = static_cast<int>(std::min<uint64_t>(code.shared, 0x7fffffff)),
            .local_bytes = Info(info, kInfoFrameSize, index),
            .max_threads = Info(At(code.info), kInfoMaxThreads, index),
        };
        if (CUresult error = AddKernel(name, kernel, image)) return error;
      } else if ((type == 1 || type == 13) &&
                 (home.name.starts_with(".nv.global") || home.name.starts_with(".nv.constant"))) {
        const auto value = table.Get<uint64_t>(at + 8);
        const auto size = table.Get<uint64_t>(at + 16);
        Bytes initial(nullptr, 0);
        if (!IsEmpty(home.type)) {
          initial = bytes_.Sub(home.offset, home.size).Sub(value, size);
          if (initial.size() != size) return CUDA_ERROR_INVALID_IMAGE;
        }
        if (CUresult error = AddVariable(name, size, initial, image)) return error;
      }
    }
    return CUDA_SUCCESS;
  }

  Bytes bytes_;
};

// --- PTX (PTX ISA 8.7, "Syntax" and "Directives")

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || c == '%' || c == '.';
}

class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  // A word, or one other character; empty at the end.
  std::string_view Next() {
    for (;;) {
      while (!rest_.empty() && IsSpace(rest_[0])) rest_.remove_prefix(1);
      if (rest_.starts_with("//")) {
        Skip(rest_.find('\n'));
      } else if (rest_.starts_with("/*")) {
        const size_t end = rest_.find("*/", 2);
        Skip(end == std::string_view::npos ? end : end + 2);
      } else {
        break;
      }
    }
    size_t length = 0;
    while (length < rest_.size() && IsName(rest_[length])) ++length;
    if (length == 0 && !rest_.empty()) length = 1;
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

 private:
  void Skip(size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }

  std::string_view rest_;
};

// "8.7" as 87; "90" as 90; 0: no number.
int Number(std::string_view word) {
  int number = 0;
  for (char c : word) {
    if (c == '.') continue;
    if (c < '0' || c > '9' || number > 100'000'000) break;
    number = number * 10 + (c - '0');
  }
  return number;
}

// Bytes of ".u32" or ".b8"; 0: no type of a variable.
unsigned TypeBytes(std::string_view word) {
  if (word.size() < 3 || word[0] != '.') return 0;
  if (word[1] != 'b' && word[1] != 'u' && word[1] != 's' && word[1] != 'f') return 0;
  switch (Number(word.substr(2))) {
    case 8:
      return 1;
    case 16:
      return 2;
    case 32:
      return 4;
    case 64:
      return 8;
    case 128:
      return 16;
    default:
      return 0;
  }
}

// Of ".global .align 4 .b8 name[16]": first values are not read, they begin as zeros.
CUresult ReadPtxVariable(Words* words, Image* image) {
  unsigned element = 0;
  unsigned lanes = 1;
  std::string_view name;
  for (;;) {
    const std::string_view word = words->Next();
    if (word.empty() || word == ";") return CUDA_SUCCESS;
    if (word == ".align") {
      words->Next();
    } else if (word == ".v2" || word == ".v4") {
      lanes = word[2] == '2' ? 2 : 4;
    } else if (TypeBytes(word) != 0) {
      element = TypeBytes(word);
    } else if (word[0] != '.') {
      name = word;
      break;
    }
  }
  if (element == 0 || !IsName(name[0])) return CUDA_SUCCESS;
  uint64_t bytes = uint64_t{element} * lanes;
  std::string_view word = words->Next();
  while (word == "[") {
    const int count = Number(words->Next());
    if (count == 0) return CUDA_SUCCESS;  // external: of another module
    if (bytes > kMaxVariable / static_cast<unsigned>(count)) return CUDA_ERROR_INVALID_PTX;
    bytes *= static_cast<unsigned>(count);
    words->Next();
    word = words->Next();
  }
  return AddVariable(name, bytes, Bytes(nullptr, 0), image);
}

CUresult ReadPtx(std::string_view text, ComputeCapability device, Image* image) {
  Words words(text);
  if (words.Next() != ".version") return CUDA_ERROR_INVALID_PTX;
  if (Number(words.Next()) == 0) return CUDA_ERROR_INVALID_PTX;
  int depth = 0;  // of braces: variables inside are not the module's
  for (;;) {
    const std::string_view word = words.Next();
    if (word.empty()) break;
    if (word == "{") {
      ++depth;
    } else if (word == "}") {
      --depth;
    } else if (word == ".target") {
      const std::string_view name = words.Next();
      if (!name.starts_with("sm_")) return CUDA_ERROR_INVALID_PTX;
      image->ptx_target = Number(name.substr(3));
      // PTX runs on its architecture and on all later ones.
      if (image->ptx_target > 10 * device.major + device.minor) {
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
      }
    } else if (word == ".entry" && depth == 0) {
      const std::string_view name = words.Next();
      if (name.empty() || !IsName(name[0])) return CUDA_ERROR_INVALID_PTX;
      // A kernel may be declared before it is defined.
      if (image->FindKernel(name) != nullptr) continue;
      if (CUresult error = AddKernel(name, {}, image)) return error;
    } else if ((word == ".global" || word == ".const") && depth == 0) {
      if (CUresult error = ReadPtxVariable(&words, image)) return error;
    }
  }
  return image->ptx_target != 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_PTX;
}

bool BeginsAsPtx(std::string_view text) { return Words(text).Next() == ".version"; }

// Text up to its NUL or the limit. Of a caller that gave no size, page by page, as it is mapped.
std::string_view TakeText(const char* data, uint64_t limit) {
  if (limit != kUnknownSize) return {data, strnlen(data, limit)};
  constexpr uintptr_t kPage = 4096;
  uint64_t size = 0;
  while (size < kMaxImage) {
    const uint64_t step = kPage - (reinterpret_cast<uintptr_t>(data + size) & (kPage - 1));
    if (!Mapped(data + size, step)) return {};
    const size_t length = strnlen(data + size, step);
    size += length;
    if (length < step) return {data, size};
  }
  return {};
}

// --- Fat binaries

constexpr uint32_t kWrapperMagic = 0x466243b1;
constexpr uint32_t kFatMagic = 0xba55ed50;
constexpr uint16_t kPtxMember = 1;
constexpr uint16_t kElfMember = 2;
constexpr uint64_t kCompressed = 0x2000 | 0x8000;  // LZ4, Zstandard

// A cubin runs on its own architecture's later minors; with an "a" or "f" target, which the
// headers do not tell apart, on fewer: that is not judged here.
bool CubinRuns(int architecture, ComputeCapability device) {
  return architecture / 10 == device.major && architecture % 10 <= device.minor;
}

CUresult ReadFat(const void* data, uint64_t limit, ComputeCapability device, Image* image) {
  const Bytes header = Take(data, 16, limit);
  const uint64_t begin = header.Get<uint16_t>(6);
  const auto payload = header.Get<uint64_t>(8);
  if (begin < 16 || payload > kMaxImage) return CUDA_ERROR_INVALID_IMAGE;
  const Bytes fat = Take(data, begin + payload, limit);
  if (fat.size() == 0) return CUDA_ERROR_INVALID_IMAGE;
  // { u16 kind, u16, u32 header's size, u64 size, u32 compressed size, u32, u16 minor, u16 major,
  //   u32 architecture, …, u64 flags at 40 }
  uint64_t best = 0;
  bool best_is_cubin = false;
  int best_architecture = -1;
  for (uint64_t at = begin; fat.Has(at, 64);) {
    const auto kind = fat.Get<uint16_t>(at);
    const uint64_t head = fat.Get<uint32_t>(at + 4);
    const auto size = fat.Get<uint64_t>(at + 8);
    const auto architecture = static_cast<int>(fat.Get<uint32_t>(at + 28));
    if (head < 64 || !fat.Has(at, head) || !fat.Has(at + head, size)) {
      return CUDA_ERROR_INVALID_IMAGE;
    }
    const bool cubin = kind == kElfMember && CubinRuns(architecture, device);
    const bool ptx = kind == kPtxMember && architecture <= 10 * device.major + device.minor;
    if ((cubin && (!best_is_cubin || architecture > best_architecture)) ||
        (ptx && !best_is_cubin && architecture > best_architecture)) {
      best = at;
      best_is_cubin = cubin;
      best_architecture = architecture;
    }
    at += head + size;
  }
  if (best == 0) return CUDA_ERROR_NO_BINARY_FOR_GPU;
  if ((fat.Get<uint64_t>(best + 40) & kCompressed) != 0) {
    image->opaque = true;
    image->binary_version = best_is_cubin ? best_architecture : 0;
    return CUDA_SUCCESS;
  }
  const Bytes member = fat.Sub(best + fat.Get<uint32_t>(best + 4), fat.Get<uint64_t>(best + 8));
  if (!best_is_cubin) {
    const auto* text = reinterpret_cast<const char*>(member.data());
    return ReadPtx({text, strnlen(text, member.size())}, device, image);
  }
  if (Cubin::Extent(member.data(), member.size()) == 0) return CUDA_ERROR_INVALID_IMAGE;
  return Cubin(member).Read(image);
}

}  // namespace

Image::~Image() {
  for (ImageKernel& kernel : kernels) free(kernel.name);
  for (ImageVariable& variable : variables) {
    free(variable.name);
    free(variable.initial);
  }
}

const ImageKernel* Image::FindKernel(std::string_view name) const {
  for (const ImageKernel& kernel : kernels) {
    if (name == kernel.name) return &kernel;
  }
  return nullptr;
}

const ImageVariable* Image::FindVariable(std::string_view name) const {
  for (const ImageVariable& variable : variables) {
    if (name == variable.name) return &variable;
  }
  return nullptr;
}

CUresult ReadImage(const void* data, size_t size, ComputeCapability device, Image* image) {
  const Bytes magic = Take(data, 4, size);
  switch (magic.Get<uint32_t>(0)) {
    case 0:
      return CUDA_ERROR_INVALID_IMAGE;
    case std::bit_cast<uint32_t>(std::array<char, 4>{'\x7f', 'E', 'L', 'F'}): {
      const uint64_t extent = Cubin::Extent(data, size);
      const Bytes bytes = extent == 0 ? Bytes(nullptr, 0) : Take(data, extent, size);
      if (bytes.size() == 0) return CUDA_ERROR_INVALID_IMAGE;
      const Cubin cubin(bytes);
      if (!CubinRuns(cubin.Architecture(), device)) return CUDA_ERROR_NO_BINARY_FOR_GPU;
      return cubin.Read(image);
    }
    case kFatMagic:
      return ReadFat(data, size, device, image);
    case kWrapperMagic: {
      // { u32 magic, u32 version, pointer to the fat binary, … }: only in memory.
      const Bytes wrapper = Take(data, 24, size);
      const auto* fat = reinterpret_cast<const void*>(wrapper.Get<uintptr_t>(8));
      if (size != kUnknownSize || Take(fat, 16, kUnknownSize).Get<uint32_t>(0) != kFatMagic) {
        return CUDA_ERROR_INVALID_IMAGE;
      }
      return ReadFat(fat, kUnknownSize, device, image);
    }
    default: {
      const std::string_view text = TakeText(static_cast<const char*>(data), size);
      if (!BeginsAsPtx(text)) return CUDA_ERROR_INVALID_IMAGE;
      return ReadPtx(text, device, image);
    }
  }
}

}  // namespace vgpu::cuda
