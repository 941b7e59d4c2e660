#include "diag/elf/elf.h"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace vgpu::elf {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

static_assert(std::endian::native == std::endian::little, "tables are read as they lie");

// As many as there are.
constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();

// A version's index has 15 bits (VERSYM_VERSION), so a file has no more records of them.
constexpr int kMaxVersionRecords = 1 << 15;
constexpr uint16_t kVersionIndexMask = 0x7fff;

// PATH_MAX: Linux refuses a program whose interpreter's path is longer (binfmt_elf).
constexpr uint64_t kMaxInterp = 4096;

// The types of the two classes, by one name each.
struct Elf32 {
  using Ehdr = Elf32_Ehdr;
  using Phdr = Elf32_Phdr;
  using Dyn = Elf32_Dyn;
  using Sym = Elf32_Sym;
  using Rel = Elf32_Rel;
  using Rela = Elf32_Rela;
  using Word = Elf32_Addr;  // of the Bloom filter in DT_GNU_HASH
  static uint64_t Symbol(uint64_t r_info) { return ELF32_R_SYM(r_info); }
};

struct Elf64 {
  using Ehdr = Elf64_Ehdr;
  using Phdr = Elf64_Phdr;
  using Dyn = Elf64_Dyn;
  using Sym = Elf64_Sym;
  using Rel = Elf64_Rel;
  using Rela = Elf64_Rela;
  using Word = Elf64_Addr;
  static uint64_t Symbol(uint64_t r_info) { return ELF64_R_SYM(r_info); }
};

// The record at `at`, if all of it is there.
template <typename T>
std::optional<T> At(absl::string_view bytes, uint64_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  T record;
  std::memcpy(&record, bytes.data() + at, sizeof(T));
  return record;
}

uint64_t SaturatingAdd(uint64_t a, uint64_t b) { return a > kAll - b ? kAll : a + b; }

uint64_t RoundUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

// Bytes of the file, as many as could be had of those that were asked for.
struct Piece {
  absl::string_view bytes;
  std::string cut;  // why they are fewer; empty where they are all there
};

// A file, in one of two forms: bytes in memory (all of it, or its first part), or a
// source from which parts are read.
class File {
 public:
  File(absl::string_view bytes, uint64_t size)
      : head_(bytes), size_(std::max<uint64_t>(size, bytes.size())) {}
  explicit File(const host::RangeSource* source) : source_(source), size_(source->size()) {
    head_ = Read(0, kHead).bytes;
  }

  uint64_t size() const { return size_; }
  // Its first bytes: at least the header, if the file has one.
  absl::string_view head() const { return head_; }
  // How much of names, notes and the like is taken in at most.
  uint64_t budget() const { return source_ == nullptr ? head_.size() : std::min(size_, kMaxPiece); }

  Piece Read(uint64_t offset, uint64_t length) const {
    if (source_ != nullptr) return ReadPiece(offset, length);
    Piece piece;
    if (offset < head_.size()) piece.bytes = head_.substr(offset, length);
    if (piece.bytes.size() < length) piece.cut = Cut(offset, length);
    return piece;
  }

  // Of a table whose end only its content shows.
  Piece ReadTable(uint64_t offset, uint64_t length) const {
    if (source_ == nullptr || length <= kMaxTable) return Read(offset, length);
    Piece piece = Read(offset, kMaxTable);
    if (piece.cut.empty()) piece.cut = absl::StrCat("longer than ", kMaxTable, " bytes");
    return piece;
  }

 private:
  static constexpr uint64_t kHead = 4096;
  // The symbols of the largest libraries fit (libLLVM's names are 4 MB).
  static constexpr uint64_t kMaxPiece = uint64_t{32} << 20;
  static constexpr uint64_t kMaxTable = uint64_t{1} << 20;

  std::string Cut(uint64_t offset, uint64_t length) const {
    if (SaturatingAdd(offset, length) > size_) return "truncated";
    return absl::StrCat("only the first ", head_.size(), " bytes were read");
  }

  Piece ReadPiece(uint64_t offset, uint64_t length) const {
    if (offset < head_.size() && length <= head_.size() - offset) {
      return {.bytes = head_.substr(offset, length), .cut = {}};
    }
    absl::StatusOr<std::string> read = source_->ReadAt(offset, std::min(length, kMaxPiece));
    if (!read.ok()) return {.bytes = {}, .cut = std::string(read.status().message())};
    held_.push_back(*std::move(read));
    Piece piece = {.bytes = held_.back(), .cut = {}};
    if (piece.bytes.size() == length) return piece;
    piece.cut = SaturatingAdd(offset, length) > size_
                    ? "truncated"
                    : absl::StrCat("longer than ", kMaxPiece, " bytes");
    return piece;
  }

  const host::RangeSource* source_ = nullptr;
  absl::string_view head_;
  uint64_t size_ = 0;
  mutable std::deque<std::string> held_;  // what the pieces point into
};

unsigned char Ident(absl::string_view bytes, size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

// Why glibc refuses the file by its header, in the order of its checks
// (elf/dl-load.c, open_verify, 2.36). Its check of the ABI version is left out: what
// passes depends on the glibc.
Observed<std::string> HeaderError(const File& file) {
  if (file.size() < sizeof(Elf64_Ehdr)) return std::string("file too short");
  const Piece first = file.Read(0, sizeof(Elf64_Ehdr));
  if (!first.cut.empty()) return NotObserved{first.cut};
  const absl::string_view bytes = first.bytes;
  if (!LooksLikeElf(bytes)) return std::string("invalid ELF header");
  if (Ident(bytes, EI_CLASS) != ELFCLASS64) return std::string("wrong ELF class: ELFCLASS32");
  if (Ident(bytes, EI_DATA) != ELFDATA2LSB) {
    return std::string("ELF file data encoding not little-endian");
  }
  if (Ident(bytes, EI_VERSION) != EV_CURRENT) {
    return std::string("ELF file version ident does not match current one");
  }
  if (Ident(bytes, EI_OSABI) != ELFOSABI_SYSV && Ident(bytes, EI_OSABI) != ELFOSABI_GNU) {
    return std::string("ELF file OS ABI invalid");
  }
  for (size_t i = EI_PAD; i < EI_NIDENT; ++i) {
    if (Ident(bytes, i) != 0) return std::string("nonzero padding in e_ident");
  }
  const Elf64_Ehdr header = *At<Elf64_Ehdr>(bytes, 0);
  if (header.e_version != EV_CURRENT) {
    return std::string("ELF file version does not match current one");
  }
  if (header.e_type != ET_DYN && header.e_type != ET_EXEC) {
    return std::string("only ET_DYN and ET_EXEC can be loaded");
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr)) {
    return std::string("ELF file's phentsize not the expected size");
  }
  return Absent{};
}

std::string MachineName(uint16_t machine) {
  switch (machine) {
    case EM_386:
      return "i386";
    case EM_X86_64:
      return "x86_64";
    case EM_ARM:
      return "arm";
    case EM_AARCH64:
      return "aarch64";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    case EM_RISCV:
      return "riscv";
    default:
      return absl::StrCat("machine ", machine);
  }
}

std::string TypeName(uint16_t type) {
  switch (type) {
    case ET_REL:
      return "REL";
    case ET_EXEC:
      return "EXEC";
    case ET_DYN:
      return "DYN";
    case ET_CORE:
      return "CORE";
    default:
      return absl::StrCat("type ", type);
  }
}

// Class, machine and type stand at the same place in both classes; machine and type
// are in the byte order of the file.
void ReadIdentity(absl::string_view bytes, ElfInfo* info) {
  switch (Ident(bytes, EI_CLASS)) {
    case ELFCLASS32:
      info->elf_class = 32;
      break;
    case ELFCLASS64:
      info->elf_class = 64;
      break;
    default:
      info->elf_class = NotObserved{absl::StrCat("no such class: ", Ident(bytes, EI_CLASS))};
  }
  const bool big = Ident(bytes, EI_DATA) == ELFDATA2MSB;
  const auto half = [bytes, big](size_t at) {
    const unsigned first = Ident(bytes, at);
    const unsigned second = Ident(bytes, at + 1);
    return static_cast<uint16_t>(big ? first << 8 | second : second << 8 | first);
  };
  info->type = TypeName(half(offsetof(Elf64_Ehdr, e_type)));
  info->machine = MachineName(half(offsetof(Elf64_Ehdr, e_machine)));
}

// One answer, Absent or NotObserved, to all that the dynamic section could tell.
template <typename Answer>
void AnswerDynamic(const Answer& answer, ElfInfo* info) {
  info->pie = answer;
  info->soname = answer;
  info->needed = answer;
  info->rpath = answer;
  info->runpath = answer;
  info->bind_now = answer;
  info->no_default_dirs = answer;
  info->version_defs = answer;
  info->version_needs = answer;
  info->undefined = answer;
  info->undefined_complete = answer;
  info->exports = answer;
  info->exports_complete = answer;
}

// Likewise to all that the program headers could tell.
template <typename Answer>
void AnswerSegments(const Answer& answer, ElfInfo* info) {
  AnswerDynamic(answer, info);
  info->interp = answer;
  info->build_id = answer;
  info->go_build = answer;
  info->last_segment_end = answer;
}

// Reads what stands behind the header of a little-endian file of one class.
template <typename Class>
class Details {
 public:
  Details(const File& file, ReadOptions options, ElfInfo* info)
      : file_(file), options_(options), info_(*info), name_budget_(4 * file.budget()) {}

  void Read() {
    if (!ReadSegments()) return;
    ReadInterp();
    ReadBuildId();
    if (options_.go_build) {
      ReadGoBuild();
    } else {
      info_.go_build = NotObserved{"not looked for"};
    }
    if (!ReadDynamic()) return;
    ReadNames();
    ReadVersionDefs();
    ReadVersionNeeds();
    ReadSymbols();
  }

 private:
  // The first reason stands.
  void Refuse(absl::string_view why) {
    if (info_.error.absent()) info_.error = std::string(why);
  }

  bool ReadSegments() {
    const std::optional<typename Class::Ehdr> header = At<typename Class::Ehdr>(file_.head(), 0);
    if (!header.has_value()) {
      AnswerSegments(NotObserved{file_.Read(0, sizeof(typename Class::Ehdr)).cut}, &info_);
      return false;
    }
    if (header->e_phnum != 0 && header->e_phentsize != sizeof(Phdr)) {
      AnswerSegments(
          NotObserved{absl::StrCat("program headers of ", header->e_phentsize, " bytes each")},
          &info_);
      return false;
    }
    const Piece table = file_.Read(header->e_phoff, header->e_phnum * sizeof(Phdr));
    if (!table.cut.empty()) {
      if (table.cut == "truncated") {
        Refuse("cannot read file data");
      } else if (info_.error.absent()) {
        info_.error = NotObserved{table.cut};
      }
      AnswerSegments(NotObserved{table.cut}, &info_);
      return false;
    }
    for (uint64_t i = 0; i < header->e_phnum; ++i) {
      segments_.push_back(*At<Phdr>(table.bytes, i * sizeof(Phdr)));
      if (segments_.back().p_type == PT_LOAD) loads_.push_back(segments_.back());
    }

    info_.last_segment_end = Absent{};
    for (const Phdr& load : loads_) {
      const uint64_t end = SaturatingAdd(load.p_offset, load.p_filesz);
      info_.last_segment_end = std::max(end, info_.last_segment_end.value_or(0));
    }
    if (loads_.empty()) Refuse("object file has no loadable segments");
    // A program of a fixed address may be static; what is loaded anywhere relocates itself.
    if (header->e_type == ET_DYN && Find(PT_DYNAMIC) == nullptr) {
      Refuse("object file has no dynamic section");
    }
    if (info_.last_segment_end.value_or(0) > file_.size()) Refuse("truncated");
    return true;
  }

  const typename Class::Phdr* Find(uint32_t type) const {
    for (const Phdr& segment : segments_) {
      if (segment.p_type == type) return &segment;
    }
    return nullptr;
  }

  void ReadInterp() {
    const Phdr* segment = Find(PT_INTERP);
    if (segment == nullptr) {
      info_.interp = Absent{};
    } else if (segment->p_filesz > kMaxInterp) {
      info_.interp = NotObserved{"longer than a path can be"};
    } else {
      const Piece path = file_.Read(segment->p_offset, segment->p_filesz);
      if (path.cut.empty()) {
        info_.interp = std::string(path.bytes.substr(0, path.bytes.find('\0')));
      } else {
        info_.interp = NotObserved{path.cut};
      }
    }
  }

  void ReadBuildId() {
    info_.build_id = Absent{};
    uint64_t left = file_.budget();  // segments of an honest file do not overlap
    for (const Phdr& segment : segments_) {
      if (segment.p_type != PT_NOTE) continue;
      const Piece notes = file_.Read(segment.p_offset, segment.p_filesz);
      if (notes.bytes.size() > left) {
        info_.build_id = NotObserved{"its notes overlap"};
        return;
      }
      left -= notes.bytes.size();
      const Observed<std::string> id = FindBuildId(notes.bytes, segment.p_align == 8 ? 8 : 4);
      if (id.present()) {
        info_.build_id = id;
        return;
      }
      if (!notes.cut.empty()) info_.build_id = NotObserved{notes.cut};
    }
  }

  static Observed<std::string> FindBuildId(absl::string_view notes, uint64_t alignment) {
    uint64_t at = 0;
    while (const std::optional<Elf64_Nhdr> note = At<Elf64_Nhdr>(notes, at)) {
      const uint64_t name = at + sizeof(Elf64_Nhdr);
      const uint64_t value = at + RoundUp(sizeof(Elf64_Nhdr) + note->n_namesz, alignment);
      const uint64_t end = value + note->n_descsz;
      if (end > notes.size()) break;
      if (note->n_type == NT_GNU_BUILD_ID &&
          notes.substr(name, note->n_namesz) == absl::string_view("GNU\0", 4)) {
        return absl::BytesToHexString(notes.substr(value, note->n_descsz));
      }
      at += RoundUp(end - at, alignment);
    }
    return Absent{};
  }

  // In a writable segment, of which a position-independent program has two (Go 1.26).
  void ReadGoBuild() {
    info_.go_build = Absent{};
    uint64_t left = file_.budget();
    for (const Phdr& load : loads_) {
      if ((load.p_flags & (PF_W | PF_X)) != PF_W) continue;
      const Piece data = file_.Read(load.p_offset, load.p_filesz);
      if (data.bytes.size() > left) {
        info_.go_build = NotObserved{"its segments overlap"};
        return;
      }
      left -= data.bytes.size();
      const Observed<GoBuild> found = FindGoBuild(data.bytes, load.p_vaddr);
      if (found.present()) {
        info_.go_build = found;
        return;
      }
      if (!data.cut.empty()) {
        info_.go_build = NotObserved{data.cut};
      } else if (found.not_observed()) {
        info_.go_build = found;
      }
    }
  }

  // The bytes that are mapped at an address.
  Piece AtAddress(uint64_t address, uint64_t length) const {
    for (const Phdr& load : loads_) {
      if (address < load.p_vaddr || address - load.p_vaddr >= load.p_filesz) continue;
      const uint64_t inside = address - load.p_vaddr;
      const uint64_t available = load.p_filesz - inside;
      const uint64_t offset = SaturatingAdd(load.p_offset, inside);
      Piece piece = length == kAll ? file_.ReadTable(offset, available)
                                   : file_.Read(offset, std::min(length, available));
      if (piece.cut.empty() && length > available) piece.cut = "it leaves its segment";
      return piece;
    }
    return {.bytes = {}, .cut = absl::StrCat("no segment holds address 0x", absl::Hex(address))};
  }

  bool ReadDynamic() {
    const Phdr* segment = Find(PT_DYNAMIC);
    if (segment == nullptr) {
      AnswerDynamic(Absent{}, &info_);
      info_.pie = false;
      info_.bind_now = false;
      info_.no_default_dirs = false;
      info_.undefined_complete = true;
      info_.exports_complete = true;
      return false;
    }
    const Piece entries = AtAddress(segment->p_vaddr, segment->p_filesz);
    bool ended = false;
    for (uint64_t at = 0; !ended; at += sizeof(typename Class::Dyn)) {
      const auto entry = At<typename Class::Dyn>(entries.bytes, at);
      if (!entry.has_value()) break;
      ended = entry->d_tag == DT_NULL;
      if (entry->d_tag == DT_NEEDED) needed_.push_back(entry->d_un.d_val);
      tags_[entry->d_tag] = entry->d_un.d_val;  // of two, the last stands (glibc)
    }
    if (!ended && !entries.cut.empty()) {
      AnswerDynamic(NotObserved{entries.cut}, &info_);
      return false;
    }
    const uint64_t flags = Tag(DT_FLAGS).value_or(0);
    const uint64_t flags_1 = Tag(DT_FLAGS_1).value_or(0);
    info_.pie = (flags_1 & DF_1_PIE) != 0;
    info_.bind_now =
        (flags & DF_BIND_NOW) != 0 || (flags_1 & DF_1_NOW) != 0 || Tag(DT_BIND_NOW).has_value();
    info_.no_default_dirs = (flags_1 & DF_1_NODEFLIB) != 0;
    if (const std::optional<uint64_t> address = Tag(DT_STRTAB)) {
      names_ = AtAddress(*address, Tag(DT_STRSZ).value_or(kAll));
    } else {
      names_.cut = "it has no string table";
    }
    return true;
  }

  std::optional<uint64_t> Tag(int64_t tag) const {
    const auto it = tags_.find(tag);
    if (it == tags_.end()) return std::nullopt;
    return it->second;
  }

  // Names may overlap in the string table, and a hostile file can have all of its
  // symbols name one long text: the budget bounds what is read and kept in all.
  bool Spend(uint64_t length) {
    if (length > name_budget_) {
      name_budget_ = 0;
      return false;
    }
    name_budget_ -= length;
    return true;
  }

  Observed<std::string> Name(uint64_t at) {
    if (at >= names_.bytes.size()) {
      return NotObserved{names_.cut.empty() ? "it lies outside of the string table" : names_.cut};
    }
    const absl::string_view rest = names_.bytes.substr(at, name_budget_);
    const absl::string_view name = rest.substr(0, rest.find('\0'));
    if (!Spend(name.size() + 1)) return NotObserved{"its names are too long altogether"};
    if (name.size() == rest.size()) {
      return NotObserved{names_.cut.empty() ? "it leaves the string table" : names_.cut};
    }
    return std::string(name);
  }

  Observed<std::string> TagName(int64_t tag) {
    const std::optional<uint64_t> at = Tag(tag);
    if (!at.has_value()) return Absent{};
    return Name(*at);
  }

  void ReadNames() {
    info_.soname = TagName(DT_SONAME);
    info_.rpath = TagName(DT_RPATH);
    info_.runpath = TagName(DT_RUNPATH);
    info_.needed = Absent{};
    std::vector<std::string> needed;
    for (const uint64_t at : needed_) {
      Observed<std::string> name = Name(at);
      if (!name.present()) {
        info_.needed = NotObserved{std::string(name.why_not())};
        return;
      }
      needed.push_back(*std::move(name));
    }
    if (!needed.empty()) info_.needed = std::move(needed);
  }

  // Records are chained by relative offsets, and the loader follows them to a zero
  // (elf/dl-version.c); so the counts in DT_VERDEFNUM and DT_VERNEEDNUM go unused.
  void ReadVersionDefs() {
    info_.version_defs = Absent{};
    const std::optional<uint64_t> address = Tag(DT_VERDEF);
    if (!address.has_value()) return;
    const Piece table = AtAddress(*address, kAll);
    std::vector<std::string> names;
    uint64_t at = 0;
    for (int records = 0; records < kMaxVersionRecords; ++records) {
      const std::optional<Elf64_Verdef> def = At<Elf64_Verdef>(table.bytes, at);
      const std::optional<Elf64_Verdaux> aux =
          def.has_value() ? At<Elf64_Verdaux>(table.bytes, at + def->vd_aux) : std::nullopt;
      if (!aux.has_value()) {
        info_.version_defs = NotObserved{table.cut};
        return;
      }
      if ((def->vd_flags & VER_FLG_BASE) == 0) {
        Observed<std::string> name = Name(aux->vda_name);
        if (!name.present()) {
          info_.version_defs = NotObserved{std::string(name.why_not())};
          return;
        }
        versions_[def->vd_ndx & kVersionIndexMask] = *name;
        names.push_back(*std::move(name));
      }
      if (def->vd_next == 0) {
        if (!names.empty()) info_.version_defs = std::move(names);
        return;
      }
      at += def->vd_next;
    }
    info_.version_defs = NotObserved{"its version definitions do not end"};
  }

  void ReadVersionNeeds() {
    info_.version_needs = Absent{};
    const std::optional<uint64_t> address = Tag(DT_VERNEED);
    if (!address.has_value()) return;
    const Piece table = AtAddress(*address, kAll);
    std::vector<VersionNeed> needs;
    std::string why = table.cut;
    int records = 0;
    uint64_t at = 0;
    while (const std::optional<Elf64_Verneed> need = At<Elf64_Verneed>(table.bytes, at)) {
      const Observed<std::string> file = Name(need->vn_file);
      if (!file.present()) {
        why = std::string(file.why_not());
        break;
      }
      needs.push_back({.file = *file});
      if (!ReadVersionNames(table, at + need->vn_aux, &records, &needs.back(), &why)) {
        break;
      }
      if (need->vn_next == 0) {
        info_.version_needs = std::move(needs);
        return;
      }
      at += need->vn_next;
    }
    info_.version_needs = NotObserved{why};
  }

  // The versions that are needed of one file. `records` counts those of all files.
  bool ReadVersionNames(const Piece& table, uint64_t at, int* records, VersionNeed* need,
                        std::string* why) {
    while (const std::optional<Elf64_Vernaux> aux = At<Elf64_Vernaux>(table.bytes, at)) {
      if (++*records > kMaxVersionRecords) {
        *why = "its version needs do not end";
        return false;
      }
      Observed<std::string> name = Name(aux->vna_name);
      if (!name.present()) {
        *why = std::string(name.why_not());
        return false;
      }
      versions_[aux->vna_other & kVersionIndexMask] = *name;
      if ((aux->vna_flags & VER_FLG_WEAK) != 0) need->weak.push_back(*name);
      need->versions.push_back(*std::move(name));
      if (aux->vna_next == 0) return true;
      at += aux->vna_next;
    }
    return false;
  }

  // The dynamic section does not say how many symbols there are; the hash tables do.
  struct SymbolCount {
    uint64_t count = 0;
    std::string doubt;  // why there may be more
  };

  SymbolCount CountSymbols() const {
    if (const std::optional<uint64_t> address = Tag(DT_HASH)) {
      const Piece table = AtAddress(*address, 2 * sizeof(Elf64_Word));
      const auto chains = At<Elf64_Word>(table.bytes, sizeof(Elf64_Word));
      if (!chains.has_value()) return {.count = 0, .doubt = table.cut};
      return {.count = *chains, .doubt = {}};
    }
    SymbolCount hashed;
    if (const std::optional<uint64_t> address = Tag(DT_GNU_HASH)) hashed = CountHashed(*address);
    if (hashed.count > 0 || !hashed.doubt.empty()) return hashed;
    // Only what is exported is in DT_GNU_HASH. Where nothing is, the relocations tell
    // which symbols matter.
    return CountRelocated();
  }

  // Hashed symbols are the last ones of the table, and those of one bucket lie
  // together: the end of the highest bucket's chain is the end of the table.
  SymbolCount CountHashed(uint64_t address) const {
    const Piece table = AtAddress(address, kAll);
    const std::optional<Elf64_Word> buckets = At<Elf64_Word>(table.bytes, 0);
    const std::optional<Elf64_Word> first_symbol = At<Elf64_Word>(table.bytes, 4);
    const std::optional<Elf64_Word> bloom_words = At<Elf64_Word>(table.bytes, 8);
    if (!bloom_words.has_value()) return {.count = 0, .doubt = table.cut};
    const uint64_t bucket_start = 16 + uint64_t{*bloom_words} * sizeof(typename Class::Word);
    const uint64_t chain_start = bucket_start + uint64_t{*buckets} * sizeof(Elf64_Word);
    if (chain_start > table.bytes.size()) return {.count = 0, .doubt = table.cut};
    uint64_t last = 0;
    for (uint64_t at = bucket_start; at < chain_start; at += sizeof(Elf64_Word)) {
      last = std::max<uint64_t>(last, *At<Elf64_Word>(table.bytes, at));
    }
    if (last == 0) return {};  // every bucket is empty
    if (last < *first_symbol) return {.count = 0, .doubt = "its hash table is damaged"};
    for (;; ++last) {
      const auto hash =
          At<Elf64_Word>(table.bytes, chain_start + (last - *first_symbol) * sizeof(Elf64_Word));
      if (!hash.has_value()) return {.count = last, .doubt = table.cut};
      if ((*hash & 1) != 0) return {.count = last + 1, .doubt = {}};  // the end of a chain
    }
  }

  SymbolCount CountRelocated() const {
    SymbolCount symbols;
    const bool plt_has_addends = Tag(DT_PLTREL).value_or(DT_RELA) == DT_RELA;
    CountIn<typename Class::Rela>(DT_RELA, DT_RELASZ, &symbols);
    CountIn<typename Class::Rel>(DT_REL, DT_RELSZ, &symbols);
    if (plt_has_addends) {
      CountIn<typename Class::Rela>(DT_JMPREL, DT_PLTRELSZ, &symbols);
    } else {
      CountIn<typename Class::Rel>(DT_JMPREL, DT_PLTRELSZ, &symbols);
    }
    return symbols;
  }

  template <typename Relocation>
  void CountIn(int64_t address_tag, int64_t size_tag, SymbolCount* symbols) const {
    const std::optional<uint64_t> address = Tag(address_tag);
    const std::optional<uint64_t> size = Tag(size_tag);
    if (!address.has_value() || size.value_or(0) == 0) return;
    const Piece table = AtAddress(*address, *size);
    for (uint64_t at = 0;; at += sizeof(Relocation)) {
      const std::optional<Relocation> relocation = At<Relocation>(table.bytes, at);
      if (!relocation.has_value()) break;
      const uint64_t symbol = Class::Symbol(relocation->r_info);
      if (symbol != 0) symbols->count = std::max(symbols->count, symbol + 1);
    }
    if (!table.cut.empty()) symbols->doubt = table.cut;
  }

  // Which symbols relocations name, apart from those that wait for a first call.
  struct Use {
    std::vector<bool> at_once;
    std::vector<bool> called;
    std::string doubt;
    Observed<bool> LazyAt(uint64_t symbol) const {
      if (symbol < at_once.size() && at_once[symbol]) return false;
      if (!doubt.empty()) return NotObserved{doubt};
      if (symbol < called.size() && called[symbol]) return true;
      return Absent{};
    }
  };

  Use ReadUse(uint64_t count) const {
    Use use;
    use.at_once.resize(std::min(count, file_.size() / sizeof(Sym)));
    use.called.resize(use.at_once.size());
    MarkIn<typename Class::Rela>(DT_RELA, DT_RELASZ, &use.at_once, &use.doubt);
    MarkIn<typename Class::Rel>(DT_REL, DT_RELSZ, &use.at_once, &use.doubt);
    if (Tag(DT_PLTREL).value_or(DT_RELA) == DT_RELA) {
      MarkIn<typename Class::Rela>(DT_JMPREL, DT_PLTRELSZ, &use.called, &use.doubt);
    } else {
      MarkIn<typename Class::Rel>(DT_JMPREL, DT_PLTRELSZ, &use.called, &use.doubt);
    }
    return use;
  }

  template <typename Relocation>
  void MarkIn(int64_t address_tag, int64_t size_tag, std::vector<bool>* marks,
              std::string* doubt) const {
    const std::optional<uint64_t> address = Tag(address_tag);
    const uint64_t size = Tag(size_tag).value_or(0);
    if (!address.has_value() || size == 0) return;
    const Piece table = AtAddress(*address, size);
    if (!table.cut.empty()) *doubt = table.cut;
    for (uint64_t at = 0;; at += sizeof(Relocation)) {
      const std::optional<Relocation> relocation = At<Relocation>(table.bytes, at);
      if (!relocation.has_value()) return;
      const uint64_t symbol = Class::Symbol(relocation->r_info);
      if (symbol < marks->size()) (*marks)[symbol] = true;
    }
  }

  void ReadSymbols() {
    const std::optional<uint64_t> address = Tag(DT_SYMTAB);
    if (!address.has_value()) {
      info_.undefined = Absent{};
      info_.exports = Absent{};
      info_.undefined_complete = true;
      info_.exports_complete = true;
      return;
    }
    const SymbolCount symbols = CountSymbols();
    const Piece table = AtAddress(*address, symbols.count * sizeof(Sym));
    Piece indices;
    if (const std::optional<uint64_t> versym = Tag(DT_VERSYM)) {
      indices = AtAddress(*versym, symbols.count * sizeof(Elf64_Half));
    }
    const std::string& doubt = symbols.doubt.empty() ? table.cut : symbols.doubt;
    if (table.bytes.size() < sizeof(Sym) && !doubt.empty()) {
      info_.undefined = NotObserved{doubt};
      info_.exports = NotObserved{doubt};
      info_.undefined_complete = NotObserved{doubt};
      info_.exports_complete = NotObserved{doubt};
      return;
    }

    const Use use = ReadUse(symbols.count);
    std::vector<UndefinedSymbol> undefined;
    std::vector<ExportedSymbol> exports;
    bool undefined_complete = doubt.empty();
    bool exports_complete = doubt.empty();
    // Symbol 0 is no symbol.
    for (uint64_t i = 1;; ++i) {
      const std::optional<Sym> symbol = At<Sym>(table.bytes, i * sizeof(Sym));
      if (!symbol.has_value()) break;
      const bool is_undefined = IsUndefined(*symbol);
      if (symbol->st_name == 0 || (!is_undefined && !IsExported(*symbol))) continue;
      Observed<std::string> name = Name(symbol->st_name);
      if (!name.present()) {
        (is_undefined ? undefined_complete : exports_complete) = false;
        continue;
      }
      Observed<std::string> version = VersionOf(i, indices);
      // GNU ld marks each version node that it defines by a symbol of that name.
      if (symbol->st_shndx == SHN_ABS && version == name) continue;
      if (is_undefined) {
        undefined.push_back({.name = *std::move(name),
                             .version = std::move(version),
                             .weak = Binding(*symbol) == STB_WEAK,
                             .lazy = use.LazyAt(i)});
      } else {
        exports.push_back({.name = *std::move(name), .version = std::move(version)});
      }
    }
    info_.undefined = std::move(undefined);
    info_.undefined_complete = undefined_complete;
    info_.exports = std::move(exports);
    info_.exports_complete = exports_complete;
  }

  // The fields of st_info and st_other are packed alike in both classes.
  static int Binding(const typename Class::Sym& symbol) { return ELF64_ST_BIND(symbol.st_info); }

  static bool IsUndefined(const typename Class::Sym& symbol) {
    return symbol.st_shndx == SHN_UNDEF && Binding(symbol) != STB_LOCAL;
  }

  // What a lookup may find (glibc 2.36, elf/dl-lookup.c, do_lookup_x and check_match).
  static bool IsExported(const typename Class::Sym& symbol) {
    const int binding = Binding(symbol);
    const int type = ELF64_ST_TYPE(symbol.st_info);
    const int visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    const bool has_place = symbol.st_value != 0 || symbol.st_shndx == SHN_ABS || type == STT_TLS;
    return symbol.st_shndx != SHN_UNDEF && has_place &&
           (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
           (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC || type == STT_COMMON ||
            type == STT_TLS || type == STT_GNU_IFUNC) &&
           visibility != STV_HIDDEN && visibility != STV_INTERNAL;
  }

  Observed<std::string> VersionOf(uint64_t symbol, const Piece& indices) {
    if (!Tag(DT_VERSYM).has_value()) return Absent{};
    const auto entry = At<Elf64_Half>(indices.bytes, symbol * sizeof(Elf64_Half));
    if (!entry.has_value()) return NotObserved{indices.cut};
    const uint16_t index = *entry & kVersionIndexMask;
    if (index <= VER_NDX_GLOBAL) return Absent{};
    const auto it = versions_.find(index);
    if (it == versions_.end()) return NotObserved{absl::StrCat("version ", index, " has no name")};
    if (!Spend(it->second.size())) return NotObserved{"its names are too long altogether"};
    return it->second;
  }

  using Phdr = typename Class::Phdr;
  using Sym = typename Class::Sym;

  const File& file_;
  const ReadOptions options_;
  ElfInfo& info_;

  std::vector<Phdr> segments_;
  std::vector<Phdr> loads_;  // those of type PT_LOAD
  absl::flat_hash_map<int64_t, uint64_t> tags_;
  std::vector<uint64_t> needed_;                         // offsets into names_
  Piece names_;                                          // DT_STRTAB
  absl::flat_hash_map<uint16_t, std::string> versions_;  // by index
  uint64_t name_budget_;
};

ElfInfo Parse(const File& file, ReadOptions options) {
  ElfInfo info;
  info.cuda_archs = NotObserved{"not read from the file"};
  info.error = HeaderError(file);

  // Through e_machine the two classes are alike.
  constexpr size_t kIdentity = offsetof(Elf64_Ehdr, e_version);
  const absl::string_view head = file.head();
  if (head.size() < kIdentity || !LooksLikeElf(head)) {
    const NotObserved why{!LooksLikeElf(head) && head.size() >= SELFMAG
                              ? "not an ELF file"
                              : file.Read(0, kIdentity).cut};
    info.elf_class = why;
    info.machine = why;
    info.type = why;
    AnswerSegments(why, &info);
    return info;
  }
  ReadIdentity(head, &info);
  if (Ident(head, EI_DATA) != ELFDATA2LSB) {
    AnswerSegments(NotObserved{"not little-endian"}, &info);
  } else if (Ident(head, EI_CLASS) == ELFCLASS64) {
    Details<Elf64>(file, options, &info).Read();
  } else if (Ident(head, EI_CLASS) == ELFCLASS32) {
    Details<Elf32>(file, options, &info).Read();
  } else {
    AnswerSegments(NotObserved{std::string(info.elf_class.why_not())}, &info);
  }
  return info;
}

}  // namespace

bool LooksLikeElf(absl::string_view bytes) {
  return bytes.substr(0, SELFMAG) == absl::string_view(ELFMAG, SELFMAG);
}

ElfInfo ParseElf(absl::string_view bytes, uint64_t file_size) {
  return Parse(File(bytes, file_size), {.go_build = true});
}

ElfInfo ReadElf(const host::RangeSource& file, ReadOptions options) {
  return Parse(File(&file), options);
}

}  // namespace vgpu::elf
