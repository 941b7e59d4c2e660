#include "diag/host/listed_file.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "diag/host/captured_value.h"
#include "diag/host/json_member.h"
#include "nlohmann/json.hpp"

namespace vgpu::host {
namespace {

using nlohmann::json;

enum class Key {
  kOther,
  kPath,
  kType,
  kTarget,
  kMode,
  kUid,
  kGid,
  kSize,
  kMtime,
  kCtime,
  kDev,
  kIno,
  kCaps,
  kSha256,
  kNames,
};

constexpr std::pair<absl::string_view, Key> kKeys[] = {
    {"path", Key::kPath},     {"type", Key::kType},   {"target", Key::kTarget},
    {"mode", Key::kMode},     {"uid", Key::kUid},     {"gid", Key::kGid},
    {"size", Key::kSize},     {"mtime", Key::kMtime}, {"ctime", Key::kCtime},
    {"dev", Key::kDev},       {"ino", Key::kIno},     {"caps", Key::kCaps},
    {"sha256", Key::kSha256}, {"names", Key::kNames},
};

Key KeyNamed(absl::string_view name) {
  for (const auto& [text, key] : kKeys) {
    if (text == name) return key;
  }
  return Key::kOther;
}

FileType TypeNamed(absl::string_view name) {
  for (FileType type : {FileType::kDir, FileType::kSymlink, FileType::kCharDevice,
                        FileType::kBlockDevice, FileType::kFifo, FileType::kSocket}) {
    if (name == FileTypeName(type)) return type;
  }
  return FileType::kFile;
}

// nlohmann's parser tells it what stands in the line (its SAX interface).
class Reader {
 public:
  std::optional<ListedFile> Finish() && {
    if (file_.path.empty() || file_.path.front() != '/') return std::nullopt;
    if (dev_ && ino_) file_.meta.id = FileId{*dev_, *ino_};
    if (file_.names) std::sort(file_.names->begin(), file_.names->end());
    return std::move(file_);
  }

  bool null() {
    if (Member() == Key::kCaps) file_.meta.caps = Absent{};
    return true;
  }
  bool boolean(bool) { return true; }
  bool number_integer(json::number_integer_t) { return true; }
  bool number_float(json::number_float_t, const std::string&) { return true; }
  bool binary(json::binary_t&) { return true; }
  bool number_unsigned(json::number_unsigned_t number) {
    switch (Member()) {
      case Key::kUid:
        file_.meta.uid = CapturedId(number);
        break;
      case Key::kGid:
        file_.meta.gid = CapturedId(number);
        break;
      case Key::kSize:
        file_.meta.size = number;
        break;
      case Key::kDev:
        dev_ = number;
        break;
      case Key::kIno:
        ino_ = number;
        break;
      default:
        break;
    }
    return true;
  }
  bool string(std::string& text) {
    if (depth_ == 2 && in_names_) file_.names->push_back(std::move(text));
    switch (Member()) {
      case Key::kPath:
        file_.path = std::move(text);
        break;
      case Key::kType:
        file_.absent = text == "absent";
        file_.meta.type = TypeNamed(text);
        break;
      case Key::kTarget:
        file_.target = std::move(text);
        break;
      case Key::kMode:
        file_.meta.mode = CapturedMode(text);
        break;
      case Key::kMtime:
        file_.meta.mtime = CapturedTime(text);
        break;
      case Key::kCtime:
        file_.meta.ctime = CapturedTime(text);
        break;
      case Key::kCaps:
        file_.meta.caps = std::move(text);
        break;
      case Key::kSha256:
        if (!text.empty()) file_.meta.sha256 = std::move(text);
        break;
      default:
        break;
    }
    return true;
  }
  bool key(std::string& name) {
    if (depth_ == 1) key_ = KeyNamed(name);
    return true;
  }
  bool start_object(size_t) {
    if (depth_++ == 0) is_object_ = true;
    return true;
  }
  bool end_object() { return End(); }
  bool start_array(size_t) {
    in_names_ = in_names_ || Member() == Key::kNames;
    if (Member() == Key::kNames) file_.names.emplace();
    ++depth_;
    return true;
  }
  bool end_array() { return End(); }
  bool parse_error(size_t, const std::string&, const json::exception&) { return false; }

 private:
  // Which member of the line's object the value at hand is.
  Key Member() const { return depth_ == 1 && is_object_ ? key_ : Key::kOther; }
  bool End() {
    if (--depth_ == 1) in_names_ = false;
    return true;
  }

  ListedFile file_;
  std::optional<uint64_t> dev_;
  std::optional<uint64_t> ino_;
  size_t depth_ = 0;  // of open objects and arrays
  bool is_object_ = false;
  bool in_names_ = false;
  Key key_ = Key::kOther;
};

}  // namespace

std::optional<ListedFile> ParseListedFile(absl::string_view line) {
  const absl::string_view elf = ObjectMember(line, "elf").value_or(absl::string_view());
  std::string rest(line);
  if (!elf.empty()) rest.replace(static_cast<size_t>(elf.data() - line.data()), elf.size(), "{}");
  Reader reader;
  if (!json::sax_parse(rest, &reader)) return std::nullopt;
  std::optional<ListedFile> file = std::move(reader).Finish();
  if (file) file->elf = std::string(elf);
  return file;
}

}  // namespace vgpu::host
