#include "diag/elf/elf.h"

#include <elf.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"

namespace vgpu::elf {
namespace {

using Strings = std::vector<std::string>;
using host::Absent;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string Fixture(absl::string_view name) {
  const std::string bytes = ReadFile(absl::StrCat("diag/elf/testdata/fixtures/", name));
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

// Which relocations name them is told by AFunctionThatIsOnlyCalledCanWait.
std::vector<UndefinedSymbol> WithoutUse(std::vector<UndefinedSymbol> symbols) {
  for (UndefinedSymbol& symbol : symbols) symbol.lazy = UndefinedSymbol().lazy;
  return symbols;
}

ElfInfo ParseWhole(absl::string_view bytes) { return ParseElf(bytes, bytes.size()); }

std::string HostMachine() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#endif
}

// --- What a linker makes of a library ---

TEST(Elf, ARuntimeShimTellsAllThatItsLoadingDependsOn) {
  const ElfInfo info = ParseWhole(Fixture("libcudart.so.12"));
  EXPECT_TRUE(info.error.absent());
  EXPECT_EQ(*info.elf_class, 64);
  EXPECT_EQ(*info.machine, HostMachine());
  EXPECT_EQ(*info.type, "DYN");
  EXPECT_FALSE(*info.pie);
  EXPECT_TRUE(info.interp.absent());
  EXPECT_EQ(*info.soname, "libcudart.so.12");
  EXPECT_EQ(*info.needed, (Strings{"libcuda.so.1", "libcublas.so.12"}));
  EXPECT_EQ(*info.rpath, "$ORIGIN/cuda_v12");
  EXPECT_TRUE(info.runpath.absent());
  EXPECT_EQ(*info.build_id, "0123456789abcdef");
  EXPECT_TRUE(*info.bind_now);
  EXPECT_EQ(*info.version_defs, Strings{"libcudart.so.12"});
  EXPECT_EQ(
      *info.version_needs,
      (std::vector<VersionNeed>{{.file = "libcublas.so.12", .versions = {"libcublas.so.12"}}}));
  EXPECT_TRUE(info.go_build.absent());
  EXPECT_TRUE(info.cuda_archs.not_observed());
}

TEST(Elf, AnUndefinedSymbolHasTheVersionThatItWasLinkedAgainst) {
  ElfInfo info = ParseWhole(Fixture("libcudart.so.12"));
  std::vector<UndefinedSymbol> undefined = *info.undefined;
  std::sort(undefined.begin(), undefined.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  EXPECT_EQ(
      WithoutUse(undefined),
      (std::vector<UndefinedSymbol>{
          {.name = "cuInit", .version = Absent{}, .weak = false},
          {.name = "cublasCreate_v2", .version = std::string("libcublas.so.12"), .weak = false},
          {.name = "nvmlInit_v2", .version = Absent{}, .weak = true}}));
  EXPECT_TRUE(*info.undefined_complete);
}

TEST(Elf, AFunctionThatIsOnlyCalledCanWait) {
  const ElfInfo info = ParseWhole(Fixture("libcudart.so.12"));
  for (const UndefinedSymbol& symbol : *info.undefined) {
    // nvmlInit_v2 is compared with null, and so its address is needed at once.
    EXPECT_EQ(symbol.lazy, symbol.name != "nvmlInit_v2") << symbol.name;
  }
}

// A source that counts what is read of a large file.
class Counting : public host::RangeSource {
 public:
  explicit Counting(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size() + kBehind; }
  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t length) const override {
    read_ += length;
    return offset < bytes_.size() ? bytes_.substr(offset, length) : std::string();
  }
  uint64_t read() const { return read_; }
  static constexpr uint64_t kBehind = uint64_t{1} << 30;

 private:
  std::string bytes_;
  mutable uint64_t read_ = 0;
};

TEST(Elf, OfALargeFileOnlyItsTablesAreRead) {
  for (const char* name : {"libcuda.so.1", "libcudart.so.12", "libcublas.so.12", "program_pie"}) {
    const std::string bytes = Fixture(name);
    const Counting source(bytes);
    ElfInfo whole = ParseElf(bytes, source.size());
    whole.go_build = host::NotObserved{"not looked for"};
    EXPECT_EQ(ReadElf(source), whole) << name;
    EXPECT_LT(source.read(), uint64_t{2} << 20) << name;
  }
}

TEST(Elf, ExportsBearTheirVersionNode) {
  const ElfInfo info = ParseWhole(Fixture("libcudart.so.12"));
  std::set<std::string> names;
  for (const ExportedSymbol& symbol : *info.exports) {
    names.insert(symbol.name);
    EXPECT_EQ(*symbol.version, "libcudart.so.12") << symbol.name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"cudaFree", "cudaMalloc"}));
  EXPECT_TRUE(*info.exports_complete);
}

TEST(Elf, ALibraryWithoutVersionsAndRunpath) {
  const ElfInfo info = ParseWhole(Fixture("libcudart_runpath.so"));
  EXPECT_TRUE(info.soname.absent());
  EXPECT_TRUE(info.needed.absent());
  EXPECT_TRUE(info.rpath.absent());
  EXPECT_EQ(*info.runpath, "/opt/a:/opt/b");
  EXPECT_TRUE(info.build_id.absent());
  EXPECT_FALSE(*info.bind_now);
  EXPECT_TRUE(info.version_defs.absent());
  EXPECT_TRUE(info.version_needs.absent());
  EXPECT_EQ(info.undefined->size(), 3u);
  EXPECT_EQ(info.exports->size(), 3u);
  EXPECT_TRUE(info.exports->front().version.absent());
}

TEST(Elf, TheOldHashTableCountsSymbolsToo) {
  const ElfInfo info = ParseWhole(Fixture("libcuda.so.1"));
  EXPECT_EQ(*info.exports,
            (std::vector<ExportedSymbol>{{.name = "cuInit", .version = Absent{}},
                                         {.name = "cuMemAlloc_v2", .version = Absent{}}}));
  EXPECT_TRUE(info.undefined->empty());
}

// The GNU hash table of such a library is empty and does not tell how many symbols
// there are.
TEST(Elf, ALibraryThatExportsNothingStillTellsWhatItLacks) {
  const ElfInfo info = ParseWhole(Fixture("libimporter.so"));
  EXPECT_EQ(WithoutUse(*info.undefined),
            (std::vector<UndefinedSymbol>{
                {.name = "cuInit", .version = Absent{}, .weak = false},
                {.name = "cuMemAlloc_v2", .version = Absent{}, .weak = false}}));
  EXPECT_TRUE(*info.undefined_complete);
  EXPECT_TRUE(info.exports->empty());
  EXPECT_TRUE(*info.exports_complete);
}

// --- Programs and objects ---

TEST(Elf, APositionIndependentProgram) {
  const ElfInfo info = ParseWhole(Fixture("program_pie"));
  EXPECT_TRUE(info.error.absent());
  EXPECT_EQ(*info.type, "DYN");
  EXPECT_TRUE(*info.pie);
  EXPECT_EQ(*info.interp, "/lib64/ld-linux-x86-64.so.2");
}

TEST(Elf, AProgramOfAFixedAddress) {
  const ElfInfo info = ParseWhole(Fixture("program_dynamic"));
  EXPECT_TRUE(info.error.absent());
  EXPECT_EQ(*info.type, "EXEC");
  EXPECT_FALSE(*info.pie);
  EXPECT_EQ(*info.interp, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(*info.needed, Strings{"libcuda.so.1"});
}

TEST(Elf, AStaticProgramNeedsNothingAndHasNoLoader) {
  const ElfInfo info = ParseWhole(Fixture("program_static"));
  EXPECT_TRUE(info.error.absent());
  EXPECT_EQ(*info.type, "EXEC");
  EXPECT_TRUE(info.interp.absent());
  EXPECT_TRUE(info.needed.absent());
  EXPECT_TRUE(info.undefined.absent());
  EXPECT_TRUE(info.exports.absent());
  EXPECT_TRUE(*info.undefined_complete);
}

TEST(Elf, AnObjectFileCannotBeLoaded) {
  const ElfInfo info = ParseWhole(Fixture("cudart.o"));
  EXPECT_EQ(*info.error, "only ET_DYN and ET_EXEC can be loaded");
  EXPECT_EQ(*info.type, "REL");
  EXPECT_TRUE(info.last_segment_end.absent());
}

// --- Files that are cut (facts: what the loader says of each) ---

uint64_t ProgramHeadersEnd(absl::string_view bytes) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr);
}

uint64_t DynamicOffset(absl::string_view bytes) {
  for (uint64_t at = sizeof(Elf64_Ehdr); at < ProgramHeadersEnd(bytes); at += sizeof(Elf64_Phdr)) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + at, sizeof(segment));
    if (segment.p_type == PT_DYNAMIC) return segment.p_offset;
  }
  ADD_FAILURE() << "no PT_DYNAMIC";
  return 0;
}

TEST(CutFile, IsTooShortWithoutItsHeader) {
  const std::string whole = Fixture("libcudart.so.12");
  for (const size_t size : {0, 1, 10, 16, 20, 63}) {
    const ElfInfo info = ParseWhole(whole.substr(0, size));
    EXPECT_EQ(*info.error, "file too short") << size;
    EXPECT_EQ(info.soname.why_not(), "truncated") << size;
  }
}

TEST(CutFile, HasNoDataBehindItsHeader) {
  const std::string whole = Fixture("libcudart.so.12");
  for (const size_t size : {uint64_t{64}, uint64_t{65}, ProgramHeadersEnd(whole) - 1}) {
    const ElfInfo info = ParseWhole(whole.substr(0, size));
    EXPECT_EQ(*info.error, "cannot read file data") << size;
    EXPECT_EQ(*info.type, "DYN");
    EXPECT_EQ(*info.machine, HostMachine());
    EXPECT_EQ(info.interp.why_not(), "truncated");
    EXPECT_EQ(info.needed.why_not(), "truncated");
  }
}

TEST(CutFile, IsTruncatedBehindItsProgramHeaders) {
  const std::string whole = Fixture("libcudart.so.12");
  for (const size_t size : {ProgramHeadersEnd(whole), DynamicOffset(whole)}) {
    const ElfInfo info = ParseWhole(whole.substr(0, size));
    EXPECT_EQ(*info.error, "truncated") << size;
    EXPECT_GT(*info.last_segment_end, size);
    EXPECT_TRUE(info.interp.absent());
    EXPECT_EQ(info.needed.why_not(), "truncated");
    EXPECT_EQ(info.undefined_complete.why_not(), "truncated");
  }
}

TEST(CutFile, TellsNothingFromTheMiddleOfItsDynamicSection) {
  const std::string whole = Fixture("libcudart.so.12");
  const ElfInfo info = ParseWhole(whole.substr(0, DynamicOffset(whole) + 40));
  EXPECT_EQ(*info.error, "truncated");
  EXPECT_EQ(info.soname.why_not(), "truncated");
  EXPECT_EQ(info.bind_now.why_not(), "truncated");
  EXPECT_EQ(*info.build_id, "0123456789abcdef");
}

TEST(CutFile, WithoutItsSectionHeadersLoads) {
  const std::string whole = Fixture("libcudart.so.12");
  const uint64_t end = *ParseWhole(whole).last_segment_end;
  ASSERT_LT(end, whole.size());
  EXPECT_EQ(ParseWhole(whole.substr(0, end)), ParseWhole(whole));
  EXPECT_EQ(*ParseWhole(whole.substr(0, end - 1)).error, "truncated");
}

// --- The first part of a longer file ---

TEST(FirstPart, WhatLiesBehindItIsNotObserved) {
  const std::string whole = Fixture("libcudart.so.12");
  const std::string part = whole.substr(0, DynamicOffset(whole));
  const ElfInfo info = ParseElf(part, whole.size());
  EXPECT_TRUE(info.error.absent());
  EXPECT_EQ(*info.build_id, "0123456789abcdef");
  EXPECT_EQ(*info.last_segment_end, *ParseWhole(whole).last_segment_end);
  EXPECT_EQ(info.needed.why_not(),
            absl::StrCat("only the first ", part.size(), " bytes were read"));
  EXPECT_TRUE(info.undefined.not_observed());
  EXPECT_TRUE(info.go_build.not_observed());
}

TEST(FirstPart, WithoutTheHeaderSaysNothingOfTheLoader) {
  const std::string whole = Fixture("libcudart.so.12");
  const ElfInfo info = ParseElf(whole.substr(0, 32), whole.size());
  EXPECT_EQ(info.error.why_not(), "only the first 32 bytes were read");
  EXPECT_EQ(*info.elf_class, 64);
  EXPECT_EQ(*info.type, "DYN");
  EXPECT_EQ(info.interp.why_not(), "only the first 32 bytes were read");
}

TEST(FirstPart, OfNoBytesSaysNothing) {
  const ElfInfo info = ParseElf("", 4096);
  EXPECT_EQ(info.error.why_not(), "only the first 0 bytes were read");
  EXPECT_EQ(info.elf_class.why_not(), "only the first 0 bytes were read");
}

TEST(FirstPart, WithoutTheProgramHeadersDoesNotCallTheFileCut) {
  const std::string whole = Fixture("libcudart.so.12");
  const ElfInfo info = ParseElf(whole.substr(0, 64), whole.size());
  EXPECT_EQ(info.error.why_not(), "only the first 64 bytes were read");
}

// --- Headers that the loader refuses ---

std::string WithByte(std::string bytes, size_t at, char value) {
  bytes[at] = value;
  return bytes;
}

TEST(Refused, InTheLoadersOwnWords) {
  const std::string whole = Fixture("libcudart.so.12");
  EXPECT_EQ(*ParseWhole(WithByte(whole, EI_CLASS, ELFCLASS32)).error,
            "wrong ELF class: ELFCLASS32");
  EXPECT_EQ(*ParseWhole(WithByte(whole, EI_DATA, ELFDATA2MSB)).error,
            "ELF file data encoding not little-endian");
  EXPECT_EQ(*ParseWhole(WithByte(whole, EI_VERSION, 9)).error,
            "ELF file version ident does not match current one");
  EXPECT_EQ(*ParseWhole(WithByte(whole, EI_OSABI, 9)).error, "ELF file OS ABI invalid");
  EXPECT_EQ(*ParseWhole(WithByte(whole, EI_PAD, 1)).error, "nonzero padding in e_ident");
  EXPECT_EQ(*ParseWhole(WithByte(whole, offsetof(Elf64_Ehdr, e_version), 9)).error,
            "ELF file version does not match current one");
  EXPECT_EQ(*ParseWhole(WithByte(whole, offsetof(Elf64_Ehdr, e_type), ET_CORE)).error,
            "only ET_DYN and ET_EXEC can be loaded");
  EXPECT_EQ(*ParseWhole(WithByte(whole, offsetof(Elf64_Ehdr, e_phentsize), 9)).error,
            "ELF file's phentsize not the expected size");
  EXPECT_EQ(*ParseWhole(WithByte(whole, offsetof(Elf64_Ehdr, e_phnum), 0)).error,
            "object file has no loadable segments");
}

TEST(Refused, TextIsNoElfFile) {
  EXPECT_EQ(*ParseWhole("INPUT(libcuda.so.1)\n").error, "file too short");
  const ElfInfo info = ParseWhole(std::string(64, '\n'));
  EXPECT_EQ(*info.error, "invalid ELF header");
  EXPECT_EQ(info.elf_class.why_not(), "not an ELF file");
  EXPECT_EQ(info.soname.why_not(), "not an ELF file");
  EXPECT_FALSE(LooksLikeElf("#!/bin/sh"));
  EXPECT_TRUE(
      LooksLikeElf("\x7f"
                   "ELF\2"));
}

TEST(Refused, ABigEndianFileStillTellsItsMachine) {
  std::string bytes = Fixture("libcudart.so.12");
  bytes[EI_DATA] = ELFDATA2MSB;
  bytes[offsetof(Elf64_Ehdr, e_type)] = 0;
  bytes[offsetof(Elf64_Ehdr, e_type) + 1] = ET_DYN;
  bytes[offsetof(Elf64_Ehdr, e_machine)] = 0;
  bytes[offsetof(Elf64_Ehdr, e_machine) + 1] = EM_PPC64;
  const ElfInfo info = ParseWhole(bytes);
  EXPECT_EQ(*info.type, "DYN");
  EXPECT_EQ(*info.machine, "ppc64");
  EXPECT_EQ(info.needed.why_not(), "not little-endian");
}

// The loader passes over such a file as if it were not there; the parser does not know
// the host, and says which machine it is.
TEST(Refused, AForeignMachineIsNotJudged) {
  const ElfInfo info = ParseWhole(
      WithByte(Fixture("libcudart.so.12"), offsetof(Elf64_Ehdr, e_machine), char(EM_AARCH64)));
  EXPECT_TRUE(info.error.absent());
  EXPECT_EQ(*info.machine, "aarch64");
}

// --- Files that no linker made ---

struct Class32 {
  using Ehdr = Elf32_Ehdr;
  using Phdr = Elf32_Phdr;
  using Dyn = Elf32_Dyn;
  using Sym = Elf32_Sym;
  static constexpr unsigned char kIdent = ELFCLASS32;
};

struct Class64 {
  using Ehdr = Elf64_Ehdr;
  using Phdr = Elf64_Phdr;
  using Dyn = Elf64_Dyn;
  using Sym = Elf64_Sym;
  static constexpr unsigned char kIdent = ELFCLASS64;
};

// A file that is one writable segment, mapped as it lies: addresses are offsets.
template <typename Class>
class Builder {
 public:
  Builder() : bytes_(kStart, '\0') {}

  // Returns where the bytes are.
  uint64_t Append(absl::string_view bytes) {
    bytes_.resize((bytes_.size() + 15) / 16 * 16, '\0');
    const uint64_t at = bytes_.size();
    bytes_.append(bytes.data(), bytes.size());
    return at;
  }

  template <typename T>
  uint64_t AppendTable(const std::vector<T>& records) {
    return Append(absl::string_view(reinterpret_cast<const char*>(records.data()),
                                    records.size() * sizeof(T)));
  }

  void Segment(uint32_t type, uint64_t offset, uint64_t size) {
    typename Class::Phdr segment = {};
    segment.p_type = type;
    segment.p_offset = offset;
    segment.p_vaddr = offset;
    segment.p_filesz = size;
    segment.p_memsz = size;
    segment.p_flags = PF_R | PF_W;
    segments_.push_back(segment);
  }

  void Tag(int64_t tag, uint64_t value) {
    typename Class::Dyn entry = {};
    entry.d_tag = tag;
    entry.d_un.d_val = value;
    dynamic_.push_back(entry);
  }

  std::string Build(uint16_t machine) {
    if (!dynamic_.empty()) {
      Tag(DT_NULL, 0);
      Segment(PT_DYNAMIC, AppendTable(dynamic_), dynamic_.size() * sizeof(dynamic_[0]));
    }
    Segment(PT_LOAD, 0, bytes_.size());
    typename Class::Ehdr header = {};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = Class::kIdent;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_DYN;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(header);
    header.e_phentsize = sizeof(segments_[0]);
    header.e_phnum = segments_.size();
    std::memcpy(bytes_.data(), &header, sizeof(header));
    std::memcpy(bytes_.data() + sizeof(header), segments_.data(),
                segments_.size() * sizeof(segments_[0]));
    return bytes_;
  }

 private:
  static constexpr size_t kStart = 512;  // room for the headers

  std::string bytes_;
  std::vector<typename Class::Phdr> segments_;
  std::vector<typename Class::Dyn> dynamic_;
};

TEST(HandMade, A32BitLibraryIsReadAndRefused) {
  Builder<Class32> file;
  const std::string names("\0libcuda.so.1\0libc.so.6\0cuInit\0write\0", 38);
  file.Tag(DT_STRTAB, file.Append(names));
  file.Tag(DT_STRSZ, names.size());
  file.Tag(DT_SONAME, 1);
  file.Tag(DT_NEEDED, 14);
  file.Tag(DT_NEEDED, 14);
  std::vector<Elf32_Sym> symbols(3);
  symbols[1].st_name = 24;
  symbols[1].st_value = 0x1000;
  symbols[1].st_info = ELF32_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbols[1].st_shndx = 7;
  symbols[2].st_name = 31;
  symbols[2].st_info = ELF32_ST_INFO(STB_WEAK, STT_FUNC);
  file.Tag(DT_SYMTAB, file.AppendTable(symbols));
  file.Tag(DT_HASH, file.AppendTable(std::vector<uint32_t>{1, 3, 1, 0, 0, 0}));
  const std::string loader("/lib/ld-linux.so.2\0", 19);
  file.Segment(PT_INTERP, file.Append(loader), loader.size());

  const ElfInfo info = ParseWhole(file.Build(EM_386));
  EXPECT_EQ(*info.error, "wrong ELF class: ELFCLASS32");
  EXPECT_EQ(*info.elf_class, 32);
  EXPECT_EQ(*info.machine, "i386");
  EXPECT_EQ(*info.interp, "/lib/ld-linux.so.2");
  EXPECT_EQ(*info.soname, "libcuda.so.1");
  EXPECT_EQ(*info.needed, (Strings{"libc.so.6", "libc.so.6"}));
  EXPECT_EQ(*info.exports, (std::vector<ExportedSymbol>{{.name = "cuInit", .version = Absent{}}}));
  EXPECT_EQ(WithoutUse(*info.undefined),
            (std::vector<UndefinedSymbol>{{.name = "write", .version = Absent{}, .weak = true}}));
}

TEST(HandMade, AGoProgramTellsItsBuild) {
  Builder<Class64> file;
  const std::string mark(16, '\x55');
  const std::string modules =
      absl::StrCat(mark, "mod\tgithub.com/ollama/ollama\tv0.13.5\t\n", mark);
  std::string info_bytes("\xff Go buildinf:\x08\x02", 16);
  info_bytes.resize(32, '\0');
  absl::StrAppend(&info_bytes,
                  "\x08"
                  "go1.24.1",
                  std::string(1, char(modules.size())), modules);
  file.Append(info_bytes);
  const ElfInfo info = ParseWhole(file.Build(EM_X86_64));
  ASSERT_TRUE(info.go_build.present());
  EXPECT_EQ(info.go_build->go, "go1.24.1");
  EXPECT_EQ(*info.go_build->module, "github.com/ollama/ollama");
  EXPECT_EQ(*info.go_build->version, "v0.13.5");
}

TEST(HandMade, ADynamicSectionThatIsMissingStopsALibrary) {
  Builder<Class64> file;
  file.Append("nothing");
  EXPECT_EQ(*ParseWhole(file.Build(EM_X86_64)).error, "object file has no dynamic section");
}

TEST(HandMade, NamesThatAllAreOneLongTextAreBounded) {
  Builder<Class64> file;
  const std::string names = std::string(1, '\0') + std::string(1 << 20, 'a') + '\0';
  constexpr uint32_t kSymbols = 20000;
  std::vector<Elf64_Sym> symbols(kSymbols);
  for (uint32_t i = 1; i < kSymbols; ++i) {
    symbols[i].st_name = i;
    symbols[i].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    symbols[i].st_shndx = 7;
    symbols[i].st_value = 1;
  }
  file.Tag(DT_STRTAB, file.Append(names));
  file.Tag(DT_STRSZ, names.size());
  file.Tag(DT_SYMTAB, file.AppendTable(symbols));
  file.Tag(DT_HASH, file.AppendTable(std::vector<uint32_t>{1, kSymbols}));
  const ElfInfo info = ParseWhole(file.Build(EM_X86_64));
  EXPECT_FALSE(*info.exports_complete);
  EXPECT_TRUE(*info.undefined_complete);
  EXPECT_GT(info.exports->size(), 0u);
  EXPECT_LT(info.exports->size(), 10u);
}

TEST(HandMade, AHashTableThatPromisesTooMuchLeavesTheListsIncomplete) {
  Builder<Class64> file;
  file.Tag(DT_STRTAB, file.Append(absl::string_view("\0cuInit\0", 8)));
  file.Tag(DT_STRSZ, 8);
  std::vector<Elf64_Sym> symbols(2);
  symbols[1].st_name = 1;
  symbols[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  file.Tag(DT_HASH, file.AppendTable(std::vector<uint32_t>{1, 0xffffffff}));
  file.Tag(DT_SYMTAB, file.AppendTable(symbols));
  const ElfInfo info = ParseWhole(file.Build(EM_X86_64));
  EXPECT_EQ(info.undefined->front().name, "cuInit");
  EXPECT_FALSE(*info.undefined_complete);
  EXPECT_FALSE(*info.exports_complete);
}

TEST(HandMade, AVersionThatBearsNoNameIsNotObserved) {
  Builder<Class64> file;
  file.Tag(DT_STRTAB, file.Append(absl::string_view("\0cuInit\0", 8)));
  file.Tag(DT_STRSZ, 8);
  std::vector<Elf64_Sym> symbols(2);
  symbols[1].st_name = 1;
  symbols[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  file.Tag(DT_SYMTAB, file.AppendTable(symbols));
  file.Tag(DT_HASH, file.AppendTable(std::vector<uint32_t>{1, 2}));
  file.Tag(DT_VERSYM, file.AppendTable(std::vector<uint16_t>{0, 7}));
  const ElfInfo info = ParseWhole(file.Build(EM_X86_64));
  ASSERT_EQ(info.undefined->size(), 1u);
  EXPECT_EQ(info.undefined->front().version.why_not(), "version 7 has no name");
}

TEST(HandMade, VersionRecordsThatChainBackOnEndInTime) {
  Builder<Class64> file;
  file.Tag(DT_STRTAB, file.Append(absl::string_view("\0v\0", 3)));
  file.Tag(DT_STRSZ, 3);
  // Each record begins one byte behind the last, for a megabyte.
  const uint64_t table = file.Append(std::string(1 << 20, '\1'));
  file.Tag(DT_VERDEF, table);
  file.Tag(DT_VERNEED, table);
  const ElfInfo info = ParseWhole(file.Build(EM_X86_64));
  EXPECT_TRUE(info.version_defs.not_observed());
  EXPECT_TRUE(info.version_needs.not_observed());
}

// --- The same facts as readelf ---

std::string OutputOf(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string output;
  char buffer[4096];
  size_t count;
  while ((count = fread(buffer, 1, sizeof(buffer), pipe)) > 0) output.append(buffer, count);
  return pclose(pipe) == 0 ? output : "";
}

struct Readelf {
  std::string soname;
  Strings needed;
  std::multiset<std::string> exports;    // "name@version"
  std::multiset<std::string> undefined;  // likewise
};

std::string InBrackets(absl::string_view line) {
  const size_t open = line.find('[');
  return std::string(line.substr(open + 1, line.find(']') - open - 1));
}

Readelf ParseReadelf(absl::string_view output) {
  Readelf facts;
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    if (absl::StrContains(line, "(SONAME)")) facts.soname = InBrackets(line);
    if (absl::StrContains(line, "(NEEDED)")) facts.needed.push_back(InBrackets(line));
    //   Num:    Value          Size Type    Bind   Vis      Ndx Name
    const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipWhitespace());
    if (fields.size() < 8 || !absl::EndsWith(fields[0], ":") || fields[4] == "LOCAL" ||
        fields[4] == "Bind") {
      continue;
    }
    std::string name = fields[7];
    const size_t at = name.find('@');
    if (at != std::string::npos && name[at + 1] == '@') name.erase(at, 1);
    if (fields[6] == "ABS" && at == std::string::npos) continue;  // the mark of a version node
    (fields[6] == "UND" ? facts.undefined : facts.exports).insert(name);
  }
  return facts;
}

std::string Versioned(const std::string& name, const host::Observed<std::string>& version) {
  if (version.not_observed()) return absl::StrCat(name, "@?");
  return version.absent() ? name : absl::StrCat(name, "@", *version);
}

class SameAsReadelf : public testing::TestWithParam<const char*> {};

TEST_P(SameAsReadelf, NamesVersionsAndDependencies) {
  std::string path;
  for (const char* dir :
       {"/lib/x86_64-linux-gnu/", "/lib/aarch64-linux-gnu/", "/lib64/", "/lib/"}) {
    path = absl::StrCat(dir, GetParam());
    if (access(path.c_str(), R_OK) == 0) break;
  }
  if (access(path.c_str(), R_OK) != 0) GTEST_SKIP() << GetParam() << " is not installed";
  const std::string output = OutputOf(absl::StrCat("LC_ALL=C readelf -W -d --dyn-syms ", path));
  if (output.empty()) GTEST_SKIP() << "readelf (binutils) does not run";

  const Readelf expected = ParseReadelf(output);
  const ElfInfo info = ParseWhole(ReadFile(path));
  EXPECT_TRUE(info.error.absent());
  EXPECT_EQ(info.soname.value_or(""), expected.soname);
  EXPECT_EQ(info.needed.value_or({}), expected.needed);
  std::multiset<std::string> exports;
  for (const auto& symbol : *info.exports) exports.insert(Versioned(symbol.name, symbol.version));
  std::multiset<std::string> undefined;
  for (const auto& symbol : *info.undefined) {
    undefined.insert(Versioned(symbol.name, symbol.version));
  }
  EXPECT_GT(exports.size(), 20u);
  EXPECT_EQ(exports, expected.exports);
  EXPECT_EQ(undefined, expected.undefined);
  EXPECT_TRUE(*info.exports_complete);
  EXPECT_TRUE(*info.undefined_complete);
}

INSTANTIATE_TEST_SUITE_P(Installed, SameAsReadelf,
                         testing::Values("libc.so.6", "libm.so.6", "libstdc++.so.6",
                                         "libgcc_s.so.1", "ld-linux-x86-64.so.2"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) {
                             if (!isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace vgpu::elf
