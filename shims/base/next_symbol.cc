#include "shims/base/next_symbol.h"

#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstring>

namespace vgpu {
namespace {

// What a lookup in one object needs. glibc has added the load address to the dynamic section's
// pointers, but for the vDSO, whose section is not writable (elf/get-dynamic-info.h, 2.36).
struct Tables {
  const char* strings = nullptr;
  const ElfW(Sym) * symbols = nullptr;
  const ElfW(Half) * versions = nullptr;  // null: the object has none
  const uint32_t* gnu_hash = nullptr;
  const uint32_t* sysv_hash = nullptr;
};

Tables TablesOf(const link_map* object) {
  Tables tables;
  auto pointer = [object](ElfW(Addr) value) {
    return value < object->l_addr ? value + object->l_addr : value;
  };
  for (const ElfW(Dyn)* entry = object->l_ld; entry->d_tag != DT_NULL; ++entry) {
    ElfW(Addr) value = pointer(entry->d_un.d_ptr);
    switch (entry->d_tag) {
      case DT_STRTAB:
        tables.strings = reinterpret_cast<const char*>(value);
        break;
      case DT_SYMTAB:
        tables.symbols = reinterpret_cast<const ElfW(Sym)*>(value);
        break;
      case DT_VERSYM:
        tables.versions = reinterpret_cast<const ElfW(Half)*>(value);
        break;
      case DT_GNU_HASH:
        tables.gnu_hash = reinterpret_cast<const uint32_t*>(value);
        break;
      case DT_HASH:
        tables.sysv_hash = reinterpret_cast<const uint32_t*>(value);
        break;
      default:
        break;
    }
  }
  return tables;
}

// Bit 15 of a version: only who asks for that version gets it.
constexpr ElfW(Half) kHiddenVersion = 0x8000;

enum class Versions { kDefault, kAny };

bool Matches(const Tables& tables, uint32_t index, const char* name, Versions versions) {
  const ElfW(Sym)& symbol = tables.symbols[index];
  if (symbol.st_shndx == SHN_UNDEF || symbol.st_value == 0) return false;
  unsigned type = symbol.st_info & 0xf;
  if (type != STT_FUNC && type != STT_GNU_IFUNC) return false;
  if (versions == Versions::kDefault && tables.versions != nullptr &&
      (tables.versions[index] & kHiddenVersion) != 0) {
    return false;
  }
  return strcmp(tables.strings + symbol.st_name, name) == 0;
}

// The GNU hash table: a header of four words, a Bloom filter, buckets, and the chains' hashes,
// of which the last of a chain has its lowest bit set (binutils, bfd/elflink.c).
uint32_t FindGnu(const Tables& tables, const char* name, Versions versions) {
  uint32_t hash = 5381;
  for (const char* c = name; *c != '\0'; ++c) hash = hash * 33 + static_cast<uint8_t>(*c);
  uint32_t buckets = tables.gnu_hash[0];
  uint32_t first = tables.gnu_hash[1];
  uint32_t filter_words = tables.gnu_hash[2];
  const auto* filter = reinterpret_cast<const ElfW(Addr)*>(tables.gnu_hash + 4);
  const auto* bucket = reinterpret_cast<const uint32_t*>(filter + filter_words);
  const uint32_t* chain = bucket + buckets;
  if (buckets == 0) return 0;
  for (uint32_t index = bucket[hash % buckets]; index >= first && index != 0; ++index) {
    uint32_t other = chain[index - first];
    if ((other | 1) == (hash | 1) && Matches(tables, index, name, versions)) return index;
    if ((other & 1) != 0) break;
  }
  return 0;
}

// System V ABI, chapter 5: buckets and chains of symbol indices.
uint32_t FindSysv(const Tables& tables, const char* name, Versions versions) {
  uint32_t hash = 0;
  for (const char* c = name; *c != '\0'; ++c) {
    hash = (hash << 4) + static_cast<uint8_t>(*c);
    uint32_t high = hash & 0xf0000000;
    hash = (hash ^ (high >> 24)) & ~high;
  }
  uint32_t buckets = tables.sysv_hash[0];
  if (buckets == 0) return 0;
  const uint32_t* chain = tables.sysv_hash + 2 + buckets;
  for (uint32_t index = tables.sysv_hash[2 + hash % buckets]; index != STN_UNDEF;
       index = chain[index]) {
    if (Matches(tables, index, name, versions)) return index;
  }
  return 0;
}

uint32_t Find(const Tables& tables, const char* name, Versions versions) {
  if (tables.gnu_hash != nullptr) return FindGnu(tables, name, versions);
  if (tables.sysv_hash != nullptr) return FindSysv(tables, name, versions);
  return 0;
}

}  // namespace

void* NextSymbol(const char* name) {
  bool behind_us = false;
  for (const link_map* object = _r_debug.r_map; object != nullptr; object = object->l_next) {
    // The linker gives each object a _DYNAMIC of its own.
    if (object->l_ld == _DYNAMIC) {
      behind_us = true;
      continue;
    }
    if (!behind_us) continue;
    Tables tables = TablesOf(object);
    if (tables.strings == nullptr || tables.symbols == nullptr) continue;
    uint32_t index = Find(tables, name, Versions::kDefault);
    // A name that only programs of old have (__xstat, since glibc 2.33) has no default version.
    if (index == 0) index = Find(tables, name, Versions::kAny);
    if (index == 0) continue;
    const ElfW(Sym)& symbol = tables.symbols[index];
    auto address = object->l_addr + symbol.st_value;
    if ((symbol.st_info & 0xf) == STT_GNU_IFUNC) {
      // The resolvers of libc ask the CPU and nothing else.
      return reinterpret_cast<void*>(reinterpret_cast<ElfW(Addr) (*)()>(address)());
    }
    return reinterpret_cast<void*>(address);
  }
  return nullptr;
}

}  // namespace vgpu
