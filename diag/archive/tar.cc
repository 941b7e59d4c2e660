#include "diag/archive/tar.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace vgpu::archive {
namespace {

constexpr size_t kBlock = 512;

// The header of a member: offsets and lengths of POSIX.1-2017 pax, "ustar Interchange
// Format".
struct Field {
  size_t offset;
  size_t length;
};
constexpr Field kName = {0, 100}, kMode = {100, 8}, kUid = {108, 8}, kGid = {116, 8},
                kSize = {124, 12}, kMtime = {136, 12}, kSum = {148, 8}, kType = {156, 1},
                kTarget = {157, 100}, kMagic = {257, 8}, kPrefix = {345, 155};

// Types of members that say something of the next one.
constexpr char kPax = 'x', kPaxGlobal = 'g', kGnuLongName = 'L', kGnuLongTarget = 'K';

// An octal field holds one digit less than its length; the rest of numbers goes to pax.
constexpr int64_t kMaxOctal = (int64_t{1} << 33) - 1;

absl::string_view TextOf(const char* block, Field field) {
  const absl::string_view whole(block + field.offset, field.length);
  return whole.substr(0, std::min(whole.find('\0'), whole.size()));
}

// Octal digits between blanks and NULs; an empty field is 0.
bool NumberOf(const char* block, Field field, uint64_t* number) {
  *number = 0;
  bool ended = false;
  for (size_t i = 0; i < field.length; ++i) {
    const char c = block[field.offset + i];
    if (c == ' ' || c == '\0') {
      ended = ended || *number != 0 || (i > 0 && block[field.offset + i - 1] == '0');
      continue;
    }
    if (ended || c < '0' || c > '7') return false;
    *number = *number * 8 + static_cast<uint64_t>(c - '0');
  }
  return true;
}

// The sum of a header's bytes, its own field counted as blanks.
uint64_t SumOf(const char* block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kSum.offset && i < kSum.offset + kSum.length;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

bool IsZero(const char* block) {
  return std::all_of(block, block + kBlock, [](char c) { return c == '\0'; });
}

std::optional<TarMember::Type> TypeOf(char type) {
  switch (type) {
    case '0':
    case '\0':
    case '7':  // contiguous: a file, on what has no such thing
      return TarMember::Type::kFile;
    case '1':
      return TarMember::Type::kHardLink;
    case '2':
      return TarMember::Type::kSymlink;
    case '3':
      return TarMember::Type::kCharDevice;
    case '4':
      return TarMember::Type::kBlockDevice;
    case '5':
      return TarMember::Type::kDir;
    case '6':
      return TarMember::Type::kFifo;
    default:
      return std::nullopt;
  }
}

char LetterOf(TarMember::Type type) {
  switch (type) {
    case TarMember::Type::kFile:
      return '0';
    case TarMember::Type::kHardLink:
      return '1';
    case TarMember::Type::kSymlink:
      return '2';
    case TarMember::Type::kCharDevice:
      return '3';
    case TarMember::Type::kBlockDevice:
      return '4';
    case TarMember::Type::kDir:
      return '5';
    case TarMember::Type::kFifo:
      return '6';
  }
  return '0';
}

// "LENGTH KEY=VALUE\n", whose length counts its own digits.
std::string PaxRecord(absl::string_view key, absl::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (absl::StrCat(length).size() + rest != length) {
    length = absl::StrCat(length).size() + rest;
  }
  return absl::StrCat(length, " ", key, "=", value, "\n");
}

// What a pax header says; false where it is none.
bool ParsePax(absl::string_view text, std::map<std::string, std::string>* records) {
  while (!text.empty()) {
    const size_t blank = text.find(' ');
    size_t length = 0;
    if (blank == absl::string_view::npos || !absl::SimpleAtoi(text.substr(0, blank), &length) ||
        length <= blank + 1 || length > text.size() || text[length - 1] != '\n') {
      return false;
    }
    const absl::string_view record = text.substr(blank + 1, length - blank - 2);
    const size_t equals = record.find('=');
    if (equals == absl::string_view::npos) return false;
    (*records)[std::string(record.substr(0, equals))] = std::string(record.substr(equals + 1));
    text.remove_prefix(length);
  }
  return true;
}

// A long name of GNU's: up to the first NUL.
std::string CString(absl::string_view content) {
  return std::string(content.substr(0, std::min(content.find('\0'), content.size())));
}

}  // namespace

absl::Status TarWriter::AddBlocks(const TarMember& member, char type, absl::string_view path,
                                  absl::string_view target) {
  char block[kBlock] = {};
  const auto put = [&](Field field, absl::string_view text) {
    std::memcpy(block + field.offset, text.data(), std::min(field.length, text.size()));
  };
  const int64_t mtime = std::clamp<int64_t>(absl::ToUnixSeconds(member.mtime), 0, kMaxOctal);
  put(kName, path);
  put(kMode, absl::StrFormat("%07o", member.mode & 07777));
  put(kUid, "0000000");
  put(kGid, "0000000");
  put(kSize, absl::StrFormat("%011o", member.content.size()));
  put(kMtime, absl::StrFormat("%011o", mtime));
  block[kType.offset] = type;
  put(kTarget, target);
  put(kMagic, absl::string_view("ustar\00000", 8));
  put(kSum, absl::StrFormat("%06o", SumOf(block)));
  block[kSum.offset + 6] = '\0';
  block[kSum.offset + 7] = ' ';
  if (absl::Status status = sink_.Write({block, kBlock}); !status.ok()) return status;
  if (absl::Status status = sink_.Write(member.content); !status.ok()) return status;
  const size_t over = member.content.size() % kBlock;
  return over == 0 ? absl::OkStatus() : sink_.Write(std::string(kBlock - over, '\0'));
}

absl::Status TarWriter::Add(const TarMember& member) {
  TarMember pax;
  if (member.path.size() > kName.length) pax.content += PaxRecord("path", member.path);
  if (member.target.size() > kTarget.length) pax.content += PaxRecord("linkpath", member.target);
  if (!pax.content.empty()) {
    absl::Status status = AddBlocks(pax, kPax, "pax", "");
    if (!status.ok()) return status;
  }
  return AddBlocks(member, LetterOf(member.type), member.path, member.target);
}

absl::Status TarWriter::Finish() { return sink_.Write(std::string(2 * kBlock, '\0')); }

absl::StatusOr<bool> TarReader::ReadBlock(char* block) {
  size_t have = 0;
  while (have < kBlock) {
    absl::StatusOr<size_t> n = source_.Read(block + have, kBlock - have);
    if (!n.ok()) return n.status();
    if (*n == 0) break;
    have += *n;
  }
  if (have == 0) return false;
  if (have < kBlock) return absl::DataLossError("the archive is cut off");
  return true;
}

absl::StatusOr<std::string> TarReader::ReadContent(uint64_t size, uint64_t limit,
                                                   absl::string_view of) {
  if (size > limit) {
    return absl::ResourceExhaustedError(
        absl::StrCat(of.substr(0, 256), ": ", size, " bytes, where ", limit, " are read at most"));
  }
  std::string content;
  char block[kBlock];
  while (content.size() < size) {
    absl::StatusOr<bool> any = ReadBlock(block);
    if (!any.ok()) return any.status();
    if (!*any) return absl::DataLossError("the archive is cut off");
    content.append(block, std::min<uint64_t>(kBlock, size - content.size()));
  }
  return content;
}

absl::StatusOr<std::optional<TarMember>> TarReader::Next() {
  std::map<std::string, std::string> pax;
  std::optional<std::string> long_name, long_target;
  while (true) {
    char block[kBlock];
    absl::StatusOr<bool> any = ReadBlock(block);
    if (!any.ok()) return any.status();
    // Writers end an archive with two empty blocks; one, or the end of the file where a
    // header would stand, is taken for the same.
    if (!*any || IsZero(block)) return std::optional<TarMember>();
    uint64_t sum = 0, size = 0, mode = 0, mtime = 0;
    if (!NumberOf(block, kSum, &sum) || sum != SumOf(block)) {
      return absl::InvalidArgumentError(
          "is no tar archive, or a damaged one (a header's checksum)");
    }
    if (++members_ > limits_.members) {
      return absl::ResourceExhaustedError(
          absl::StrCat("holds more than ", limits_.members, " members"));
    }
    TarMember member;
    member.path = std::string(TextOf(block, kName));
    if (const absl::string_view prefix = TextOf(block, kPrefix);
        !prefix.empty() && absl::StartsWith(TextOf(block, kMagic), "ustar") &&
        block[kMagic.offset + 5] == '\0') {
      member.path = absl::StrCat(prefix, "/", member.path);
    }
    member.target = std::string(TextOf(block, kTarget));
    if (!NumberOf(block, kSize, &size)) {
      return absl::InvalidArgumentError(
          absl::StrCat(member.path, ": its size is no number, or one of more than 8 GiB"));
    }
    // Neither decides anything.
    if (NumberOf(block, kMode, &mode)) member.mode = static_cast<uint32_t>(mode & 07777);
    if (NumberOf(block, kMtime, &mtime) && mtime <= static_cast<uint64_t>(kMaxOctal)) {
      member.mtime = absl::FromUnixSeconds(static_cast<int64_t>(mtime));
    }

    const char type = block[kType.offset];
    if (type == kPax || type == kPaxGlobal || type == kGnuLongName || type == kGnuLongTarget) {
      absl::StatusOr<std::string> content = ReadContent(size, limits_.header_bytes, member.path);
      if (!content.ok()) return content.status();
      if (type == kGnuLongName) {
        long_name = CString(*content);
      } else if (type == kGnuLongTarget) {
        long_target = CString(*content);
      } else if (type == kPax && !ParsePax(*content, &pax)) {
        return absl::InvalidArgumentError(absl::StrCat(member.path, ": a malformed pax header"));
      }
      continue;
    }

    if (long_name) member.path = *std::move(long_name);
    if (long_target) member.target = *std::move(long_target);
    if (auto it = pax.find("path"); it != pax.end()) member.path = it->second;
    if (auto it = pax.find("linkpath"); it != pax.end()) member.target = it->second;
    if (auto it = pax.find("size"); it != pax.end() && !absl::SimpleAtoi(it->second, &size)) {
      return absl::InvalidArgumentError(absl::StrCat(member.path, ": its size is no number"));
    }
    const std::optional<TarMember::Type> known = TypeOf(type);
    if (!known || pax.contains("GNU.sparse.major")) {
      return absl::InvalidArgumentError(absl::StrCat(
          member.path, ": a member of a kind that is not read (sparse, or of another system)"));
    }
    member.type = *known;
    // Only files have a content. What another kind says of its size is not one.
    if (member.type == TarMember::Type::kFile) {
      absl::StatusOr<std::string> content = ReadContent(size, limits_.bytes - bytes_, member.path);
      if (!content.ok()) return content.status();
      bytes_ += content->size();
      member.content = *std::move(content);
    }
    return std::optional<TarMember>(std::move(member));
  }
}

}  // namespace vgpu::archive
