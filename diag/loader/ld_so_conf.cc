#include "diag/loader/ld_so_conf.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vgpu::loader {
namespace {

constexpr char kFile[] = "/etc/ld.so.conf";
// ldconfig's own bound on nested includes is 10 (MAX_INCLUDES would loop); a host has a
// handful of files.
constexpr int kMaxDepth = 10;
constexpr size_t kMaxFiles = 256;
constexpr size_t kMaxDirs = 1024;
constexpr size_t kLimit = size_t{256} << 10;

class Reader {
 public:
  Reader(const host::Host& host, absl::string_view root) : host_(host), root_(root) {}

  void Read(const std::string& path, int depth) {
    if (depth > kMaxDepth || ++files_ > kMaxFiles) return;
    const host::Observed<host::Content> content = host_.Read(path, kLimit, root_);
    if (content.not_observed()) {
      conf.unread.push_back({absl::StrCat(path, ": ", content.why_not())});
    }
    if (!content.present()) return;
    int number = 0;
    for (absl::string_view line : absl::StrSplit(content->bytes, '\n')) {
      ++number;
      line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
      if (line.empty()) continue;
      absl::string_view rest = line;
      if (Word("include", rest)) {
        for (absl::string_view pattern :
             absl::StrSplit(rest, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
          Include(pattern, path, depth);
        }
      } else if (!Word("hwcap", rest)) {
        AddDir(line, path, number);
      }
    }
  }

  LdSoConf conf;

 private:
  static bool Word(absl::string_view word, absl::string_view& line) {
    if (!absl::StartsWith(line, word) || line.size() == word.size() ||
        !absl::ascii_isspace(line[word.size()])) {
      return false;
    }
    line = absl::StripAsciiWhitespace(line.substr(word.size()));
    return true;
  }

  // Patterns stand in the last component, as every distribution has them.
  void Include(absl::string_view pattern, const std::string& from, int depth) {
    const std::string path = absl::StartsWith(pattern, "/")
                                 ? std::string(pattern)
                                 : host::JoinPath(host::Dirname(from), pattern);
    const std::string dir(host::Dirname(path));
    const absl::string_view name = host::Basename(path);
    if (name.find_first_of("*?[") == absl::string_view::npos) return Read(path, depth + 1);
    const host::Observed<std::vector<std::string>> names = host_.List(dir, root_);
    if (names.not_observed()) conf.unread.push_back({absl::StrCat(dir, ": ", names.why_not())});
    if (!names.present()) return;
    for (const std::string& entry : *names) {
      if (MatchesGlob(name, entry)) Read(host::JoinPath(dir, entry), depth + 1);
    }
  }

  void AddDir(absl::string_view line, const std::string& file, int number) {
    // A type may follow ("/usr/lib/libc5 = libc5").
    absl::string_view dir = line.substr(0, line.find('='));
    dir = absl::StripTrailingAsciiWhitespace(dir);
    while (dir.size() > 1 && absl::ConsumeSuffix(&dir, "/")) {
    }
    if (!absl::StartsWith(dir, "/") || conf.dirs.size() == kMaxDirs) return;
    const auto same = [&](const LdSoConf::Dir& known) { return known.path == dir; };
    if (std::any_of(conf.dirs.begin(), conf.dirs.end(), same)) return;
    conf.dirs.push_back({std::string(dir), file, number});
  }

  const host::Host& host_;
  const absl::string_view root_;
  size_t files_ = 0;
};

}  // namespace

bool MatchesGlob(absl::string_view pattern, absl::string_view name) {
  // As glob(3): a leading period has to be written.
  return fnmatch(std::string(pattern).c_str(), std::string(name).c_str(), FNM_PERIOD) == 0;
}

LdSoConf ReadLdSoConf(const host::Host& host, absl::string_view root) {
  Reader reader(host, root);
  reader.Read(kFile, 0);
  return std::move(reader.conf);
}

}  // namespace vgpu::loader
