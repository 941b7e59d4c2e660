// A host in memory, for tests: they read like the machine that they describe.
//
//   FakeHost host;
//   host.AddFile("/etc/systemd/system/ollama.service", "[Service]\n...");
//   host.AddLink("/usr/bin/ollama", "/usr/local/bin/ollama");
//   host.AddTool({.tool = Tool::kSystemctlShowUnit, .unit = "ollama.service"}, "MainPID=1\n");
//
// Parent directories come into being by themselves. What was not added is absent;
// a tool that was not added is not observed.

#ifndef DIAG_HOST_FAKE_HOST_H_
#define DIAG_HOST_FAKE_HOST_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"

namespace vgpu::host {

class FakeHost : public Host {
 public:
  FakeHost();

  FakeHost& AddFile(absl::string_view path, absl::string_view content);
  FakeHost& AddFile(absl::string_view path, absl::string_view content, FileMeta meta);
  FakeHost& AddLink(absl::string_view path, absl::string_view target);
  FakeHost& AddDir(absl::string_view path);
  FakeHost& AddNode(absl::string_view path, FileType type);
  // What stat(2) says of a path that was added.
  FakeHost& SetMeta(absl::string_view path, FileMeta meta);
  // A look at `path`, or at anything below it, is not observed.
  FakeHost& Hide(absl::string_view path, absl::string_view why);
  FakeHost& AddTool(const ToolQuery& query, absl::string_view output);
  // The tool is there, and what it said is not observed.
  FakeHost& FailTool(const ToolQuery& query, absl::string_view why);
  FakeHost& AddElf(absl::string_view path, absl::string_view json);
  FakeHost& SetObservedAt(absl::Time time);
  FakeHost& SetRunning(bool running);

  Kind kind() const override { return Kind::kTree; }
  bool running() const override { return running_; }
  Observed<std::string> hostname() const override { return std::string("fake"); }
  Observed<absl::Time> observed_at() const override { return observed_at_; }
  absl::TimeZone time_zone() const override { return absl::UTCTimeZone(); }
  Observed<std::string> unit() const override { return Absent{}; }
  Observed<uint32_t> observer_uid() const override { return NotObserved{"a host in memory"}; }
  std::vector<std::string> remarks() const override { return {}; }
  Observed<std::string> RecordedElf(absl::string_view resolved_path) const override;
  Observed<Content> RunTool(const ToolQuery& query, size_t limit) const override;
  Observed<std::unique_ptr<ByteSource>> StreamTool(const ToolQuery& query) const override;

 protected:
  Observed<FileMeta> RawStat(const std::string& path) const override;
  Observed<std::string> RawReadLink(const std::string& path) const override;
  Observed<Content> RawRead(const std::string& path, size_t limit) const override;
  Observed<std::unique_ptr<ByteSource>> RawOpen(const std::string& path) const override;
  Observed<std::unique_ptr<RangeSource>> RawOpenRanges(const std::string& path) const override;
  Observed<std::vector<std::string>> RawList(const std::string& path) const override;

 private:
  struct Node {
    FileMeta meta;
    std::string content;  // of a file; the target of a link
  };
  void AddParents(absl::string_view path);
  const std::string* HiddenBecause(const std::string& path) const;

  std::map<std::string, Node> nodes_;
  std::map<std::string, std::string> hidden_;
  std::map<std::string, Observed<std::string>> tools_;  // by ToolSource
  std::map<std::string, std::string> elf_;
  Observed<absl::Time> observed_at_;
  bool running_ = true;
};

// The bytes of a string as a stream.
std::unique_ptr<ByteSource> StringSource(std::string bytes);

}  // namespace vgpu::host

#endif  // DIAG_HOST_FAKE_HOST_H_
