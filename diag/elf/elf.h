// What an ELF file says about itself, as far as its loading depends on it.
//
//   ElfInfo info = ParseElf(content.bytes, file_size);
//   if (info.error.present()) Say(*info.error);         // "file too short"
//   if (info.needed.present())
//     for (const std::string& soname : *info.needed) ...
//
// Reads what glibc's dynamic loader reads: program headers, the dynamic section, and
// the tables that it names. Section headers are not looked at, because a stripped
// file may have none and the loader does not care.
//
// Every member is present, absent (the file has none) or not observed (with why). For
// lists, absent and empty mean the same: none. `bytes` may be the first part of a
// longer file. What lies behind it is not observed; what lies behind the end of the
// file is "truncated".
//
// The input is not trusted: memory and time are bounded by a small multiple of its
// size. Pure functions; thread-safe. ElfInfo is a value type.

#ifndef DIAG_ELF_ELF_H_
#define DIAG_ELF_ELF_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/elf/go_build.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"

namespace vgpu::elf {

// The versions that a file needs from one library.
struct VersionNeed {
  std::string file;                        // "libcublas.so.12": a soname, one of `needed`
  std::vector<std::string> versions = {};  // "libcublas.so.12"
  std::vector<std::string> weak = {};      // those of `versions` that may be missing
  friend bool operator==(const VersionNeed&, const VersionNeed&) = default;
};

struct UndefinedSymbol {
  std::string name;
  host::Observed<std::string> version;  // absent: any definition will do
  bool weak = false;                    // may stay undefined
  // Only the first call needs it: all relocations against it are in DT_JMPREL. Absent: no
  // relocation names it. What is bound at once (`bind_now`, RTLD_NOW) does not wait.
  host::Observed<bool> lazy = host::NotObserved{"not recorded"};
  friend bool operator==(const UndefinedSymbol&, const UndefinedSymbol&) = default;
};

struct ExportedSymbol {
  std::string name;
  host::Observed<std::string> version;  // absent: defined without a version
  friend bool operator==(const ExportedSymbol&, const ExportedSymbol&) = default;
};

struct ElfInfo {
  // Why no 64-bit little-endian glibc loads the file, in the loader's own words, or
  // "truncated": the loader maps it, and what touches the missing part finds zeros or
  // dies of SIGBUS. Absent: nothing in the file itself stands against it. Whether its machine
  // is the host's, and whether a program may be preloaded (`type`, `pie`), depends on
  // more than the file and is not judged here.
  host::Observed<std::string> error;

  host::Observed<int> elf_class;        // 32 or 64
  host::Observed<std::string> machine;  // "x86_64", "aarch64", "i386"; "machine 190" if unnamed
  host::Observed<std::string> type;     // "REL", "EXEC", "DYN", "CORE"; "type 7"
  // A position-independent program. The loader's own test (DF_1_PIE): libc.so.6 can be
  // run as a program and is none.
  host::Observed<bool> pie;
  host::Observed<std::string> interp;  // absent: static, or a library

  host::Observed<std::string> soname;
  host::Observed<std::vector<std::string>> needed;  // in order, with duplicates
  host::Observed<std::string> rpath;                // verbatim; not used where there is a runpath
  host::Observed<std::string> runpath;
  host::Observed<std::string> build_id;  // lower-case hex
  host::Observed<bool> bind_now;
  // DF_1_NODEFLIB: what it needs is not searched for in the default directories.
  host::Observed<bool> no_default_dirs;

  // The version nodes that the file defines. The base definition, which bears the
  // file's own name, is no node and is not listed.
  host::Observed<std::vector<std::string>> version_defs;
  host::Observed<std::vector<VersionNeed>> version_needs;

  // Dynamic symbols, in the order of the table. Where a list is not complete, a symbol
  // that is not in it may still be in the file.
  host::Observed<std::vector<UndefinedSymbol>> undefined;
  host::Observed<bool> undefined_complete;
  // As the loader finds them: global, weak or unique, with an address. The symbols by
  // which the linker marks version nodes are left out.
  host::Observed<std::vector<ExportedSymbol>> exports;
  host::Observed<bool> exports_complete;

  // Device code that a CUDA backend carries: "sm_80", "compute_90". Not read from
  // bytes; a capture may record it.
  host::Observed<std::vector<std::string>> cuda_archs;
  host::Observed<GoBuild> go_build;

  // Where the last byte of a loaded segment ends in the file. A file that is shorter
  // is cut. Absent: nothing is loaded.
  host::Observed<uint64_t> last_segment_end;

  friend bool operator==(const ElfInfo&, const ElfInfo&) = default;
};

// What of a file is read. The loader reads neither of these.
struct ReadOptions {
  bool go_build = false;  // megabytes of a program's data
};

// Whether the file begins as an ELF file does.
bool LooksLikeElf(absl::string_view bytes);

// `bytes` is the file, or its first part; `file_size` is the size of the file.
ElfInfo ParseElf(absl::string_view bytes, uint64_t file_size);

// The same of a file of any size: reads the headers, the dynamic section and the tables
// that it names, each up to some megabytes.
ElfInfo ReadElf(const host::RangeSource& file, ReadOptions options = {});

}  // namespace vgpu::elf

#endif  // DIAG_ELF_ELF_H_
