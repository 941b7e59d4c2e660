#include "diag/host/tree_host.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "diag/host/memory_files.h"
#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

// A directory of the test's own, filled like a captured host.
class TreeHostTest : public testing::Test {
 protected:
  TreeHostTest() : dir_(absl::StrCat(testing::TempDir(), "/tree.XXXXXX")) {
    EXPECT_NE(mkdtemp(dir_.data()), nullptr);
  }
  ~TreeHostTest() override { std::filesystem::remove_all(dir_); }

  std::string At(const std::string& path) const { return dir_ + path; }
  void Write(const std::string& path, const std::string& content) {
    std::filesystem::create_directories(std::filesystem::path(At(path)).parent_path());
    std::ofstream(At(path), std::ios::binary) << content;
  }
  void Manifest(const std::string& more = "") {
    Write("/.vgpu-capture/manifest.json",
          absl::StrCat("{\"schema\": \"vgpu-doctor.capture/1\"", more, "}"));
  }
  std::unique_ptr<TreeHost> Open() {
    absl::StatusOr<std::unique_ptr<TreeHost>> host = TreeHost::Open(dir_);
    EXPECT_TRUE(host.ok()) << host.status();
    return host.ok() ? *std::move(host) : nullptr;
  }

  std::string dir_;
};

TEST_F(TreeHostTest, AFileIsReadByteForByte) {
  Manifest();
  Write("/proc/57290/environ", std::string("A=1\0B=2\0", 8));
  EXPECT_EQ(Open()->Read("/proc/57290/environ")->bytes, std::string("A=1\0B=2\0", 8));
}

TEST_F(TreeHostTest, WhatACaptureDoesNotHoldIsAbsent) {
  Manifest();
  EXPECT_TRUE(Open()->Read("/usr/lib64/libvgpu-syscall.so").absent());
}

TEST_F(TreeHostTest, WhatTheManifestNamesIsNotObservedNorIsAnythingBelowIt) {
  Manifest(R"(, "not_observed": [{"path": "/proc/57290", "reason": "permission denied"}])");
  auto host = Open();
  EXPECT_EQ(host->Resolve("/proc/57290/environ").why_not(), "/proc/57290: permission denied");
}

TEST_F(TreeHostTest, AnAbsoluteLinkStaysInTheTree) {
  Manifest();
  Write("/usr/lib64/libvgpu-cuda.so", "in the tree");
  std::filesystem::create_directories(At("/opt/vgpu"));
  ASSERT_EQ(symlink("/usr/lib64/libvgpu-cuda.so", At("/opt/vgpu/libcuda.so.1").c_str()), 0);
  ASSERT_EQ(symlink("/../../../../etc/hostname", At("/opt/out").c_str()), 0);
  auto host = Open();
  EXPECT_EQ(host->Read("/opt/vgpu/libcuda.so.1")->bytes, "in the tree");
  EXPECT_TRUE(host->Read("/opt/out").absent());
}

TEST_F(TreeHostTest, ALinkThatReplacesADirectoryIsNotFollowedByTheKernel) {
  Manifest();
  ASSERT_EQ(symlink("/etc", At("/outside").c_str()), 0);
  EXPECT_TRUE(Open()->Read("/outside/passwd").absent());
}

TEST_F(TreeHostTest, MetadataComesFromFilesJsonlAndContentFromTheTree) {
  Manifest();
  Write("/usr/local/bin/wrapper", "#!/bin/sh\n");
  Write(
      "/.vgpu-capture/files.jsonl",
      R"({"path": "/usr/local/bin/wrapper", "type": "file", "mode": "0755", "uid": 0, "dev": 2049, "ino": 7, "mtime": "2026-02-24T09:58:02.5-05:00", "caps": null})"
      "\n");
  Observed<Resolved> found = Open()->Resolve("/usr/local/bin/wrapper");
  ASSERT_TRUE(found.present());
  EXPECT_EQ(*found->meta.mode, 0755u);
  EXPECT_EQ(*found->meta.id, (FileId{2049, 7}));
  EXPECT_EQ(*found->meta.mtime, absl::FromUnixMillis(1771945082500));
  EXPECT_EQ(*found->meta.size, 10u);
  EXPECT_TRUE(found->meta.caps.absent());
  EXPECT_TRUE(found->meta.gid.not_observed());
}

TEST_F(TreeHostTest, AFileOfACaptureWithoutEntryHasNoOwnerModeOrTime) {
  Manifest();
  Write("/etc/hostname", "test10\n");
  Observed<Resolved> found = Open()->Resolve("/etc/hostname");
  EXPECT_TRUE(found->meta.mode.not_observed());
  EXPECT_TRUE(found->meta.mtime.not_observed());
  EXPECT_TRUE(found->meta.id.not_observed());
  EXPECT_EQ(*found->meta.size, 7u);
  EXPECT_EQ(*Open()->hostname(), "test10");
}

TEST_F(TreeHostTest, APathThatIsOnlyListedExistsWithItsContentNotCaptured) {
  Manifest();
  Write(
      "/.vgpu-capture/files.jsonl",
      R"({"path": "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so", "type": "file", "elf": {"soname": null}}
{"path": "/usr/local/lib/ollama/libggml-cuda.so", "type": "symlink", "target": "cuda_v12/libggml-cuda.so"}
{"path": "/usr/lib64/libvgpu-syscall.so", "type": "absent"}
)");
  auto host = Open();
  Observed<Resolved> found = host->Resolve("/usr/local/lib/ollama/libggml-cuda.so");
  ASSERT_TRUE(found.present());
  EXPECT_EQ(found->path, "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so");
  EXPECT_EQ(host->Read(found->path).why_not(), "its content was not captured");
  EXPECT_EQ(*host->RecordedElf(found->path), R"({"soname": null})");
  EXPECT_TRUE(host->Resolve("/usr/lib64/libvgpu-syscall.so").absent());
  EXPECT_EQ(*host->List("/usr/local/lib/ollama"),
            (std::vector<std::string>{"cuda_v12", "libggml-cuda.so"}));
  EXPECT_EQ(*host->List("/"), (std::vector<std::string>{"usr"}));
}

TEST_F(TreeHostTest, AnElfThatIsNestedTooDeepIsNone) {
  // Who writes a capture of a capture goes through it by recursion.
  Manifest();
  Write("/.vgpu-capture/files.jsonl",
        absl::StrCat(R"({"path": "/a.so", "type": "file", "elf": {"a": )",
                     std::string(1000000, '['), std::string(1000000, ']'), "}}"));
  auto host = Open();
  EXPECT_TRUE(host->Resolve("/a.so").present());
  EXPECT_TRUE(host->RecordedElf("/a.so").absent());
}

TEST_F(TreeHostTest, ADirectoryThatIsOnlyListedIsEmpty) {
  Manifest();
  Write("/.vgpu-capture/files.jsonl", R"({"path": "/run/systemd/system", "type": "dir"})");
  Observed<std::vector<std::string>> names = Open()->List("/run/systemd/system");
  ASSERT_TRUE(names.present()) << names.why_not();
  EXPECT_TRUE(names->empty());
}

TEST_F(TreeHostTest, MalformedLinesAreSkippedAndCounted) {
  Manifest();
  Write("/.vgpu-capture/files.jsonl", "{\"path\": \"/a\"}\nnot json\n{\"no\": \"path\"}\n\n");
  auto host = Open();
  EXPECT_TRUE(host->Resolve("/a").present());
  ASSERT_EQ(host->remarks().size(), 1u);
  EXPECT_EQ(host->remarks()[0], ".vgpu-capture/files.jsonl: 2 malformed lines skipped");
}

TEST_F(TreeHostTest, AToolsOutputThatIsMissingWasNotObservedAndAnEmptyOneWas) {
  Manifest();
  Write("/.vgpu-capture/journal/ollama.service.jsonl", "");
  auto host = Open();
  EXPECT_EQ(host->RunTool({.tool = Tool::kSystemctlShowManager}, 100).why_not(), "not captured");
  Observed<Content> journal =
      host->RunTool({.tool = Tool::kJournalUnit, .unit = "ollama.service"}, 100);
  ASSERT_TRUE(journal.present());
  EXPECT_EQ(journal->bytes, "");
  EXPECT_TRUE(host->RunTool({.tool = Tool::kJournalUnit, .unit = "../../etc"}, 100).not_observed());
}

TEST_F(TreeHostTest, APlainRootShowsNoRunningHost) {
  Write("/etc/systemd/system/ollama.service", "[Service]\n");
  auto host = Open();
  EXPECT_FALSE(host->running());
  EXPECT_TRUE(host->Resolve("/proc/1/environ").not_observed());
  EXPECT_TRUE(host->Resolve("/usr/lib64/libvgpu-cuda.so").absent());
  EXPECT_TRUE(host->Resolve("/etc/systemd/system/ollama.service")->meta.mode.present());
  EXPECT_TRUE(host->RunTool({.tool = Tool::kSystemctlShowManager}, 100).not_observed());
}

TEST_F(TreeHostTest, TheManifestSaysWhenAndWhere) {
  Manifest(
      R"(, "captured_at": "2026-02-24T10:12:00-05:00", "hostname": "test10", "unit": "gpu.service")");
  auto host = Open();
  EXPECT_EQ(*host->observed_at(), absl::FromUnixSeconds(1771945920));
  EXPECT_EQ(*host->hostname(), "test10");
  EXPECT_EQ(*host->unit(), "gpu.service");
  EXPECT_EQ(absl::FormatTime("%H:%M %z", *host->observed_at(), host->time_zone()), "10:12 -0500");
}

TEST_F(TreeHostTest, AMalformedManifestIsAnError) {
  Write("/.vgpu-capture/manifest.json", "{\"schema\": ");
  EXPECT_FALSE(TreeHost::Open(dir_).ok());
  Write("/.vgpu-capture/manifest.json", "{\"schema\": \"vgpu-doctor.capture/9\"}");
  EXPECT_FALSE(TreeHost::Open(dir_).ok());
}

TEST_F(TreeHostTest, ATreeThatIsNoDirectoryIsAnError) {
  Write("/file", "x");
  EXPECT_EQ(TreeHost::Open(At("/file")).status().message(), At("/file") + ": not a directory");
  EXPECT_FALSE(TreeHost::Open(At("/nothing")).ok());
}

TEST_F(TreeHostTest, AFifoAndASocketAreNotOpened) {
  Manifest();
  std::filesystem::create_directories(At("/run"));
  ASSERT_EQ(mkfifo(At("/run/pipe").c_str(), 0600), 0);
  EXPECT_EQ(Open()->Read("/run/pipe").why_not(), "is no regular file (fifo)");
}

// Root reads every directory. While one of these lives, this thread may not.
class OnlyModesCount {
 public:
  OnlyModesCount() {
    EXPECT_EQ(syscall(SYS_capget, &header_, before_), 0);
    __user_cap_data_struct without[2] = {before_[0], before_[1]};
    without[0].effective &= ~(1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH);
    EXPECT_EQ(syscall(SYS_capset, &header_, without), 0);
  }
  ~OnlyModesCount() { syscall(SYS_capset, &header_, before_); }

 private:
  __user_cap_header_struct header_ = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2] = {};
};

TEST_F(TreeHostTest, AnUnreadableDirectoryIsNotObserved) {
  Manifest();
  Write("/secret/x", "1");
  ASSERT_EQ(chmod(At("/secret").c_str(), 0), 0);
  auto host = Open();
  OnlyModesCount modes;
  EXPECT_EQ(host->Resolve("/secret/x").why_not(), "/secret/x: permission denied");
  EXPECT_EQ(host->List("/secret").why_not(), "permission denied");
  ASSERT_EQ(chmod(At("/secret").c_str(), 0700), 0);
}

TEST_F(TreeHostTest, AHugeSparseFileIsCutAtTheLimit) {
  Manifest();
  Write("/var/log/huge", "x");
  ASSERT_EQ(truncate(At("/var/log/huge").c_str(), off_t{10} << 30), 0);
  Observed<Content> read = Open()->Read("/var/log/huge", 1 << 20);
  ASSERT_TRUE(read.present());
  EXPECT_TRUE(read->truncated);
  EXPECT_EQ(read->bytes.size(), size_t{1} << 20);
}

TEST_F(TreeHostTest, OfACaptureThatHoldsLooksOnlyWhatHasNoAnswerWasNotLookedAt) {
  Manifest(R"(, "only_looked_at": true, "complete": true)");
  Write("/.vgpu-capture/files.jsonl",
        "{\"path\": \"/\", \"type\": \"dir\"}\n"
        "{\"path\": \"/etc\", \"type\": \"dir\", \"names\": [\"a\", \"b\"]}\n"
        "{\"path\": \"/etc/a\", \"mode\": \"0644\"}\n"
        "{\"path\": \"/usr\", \"type\": \"dir\"}\n"
        "{\"path\": \"/usr/lib\", \"type\": \"absent\"}\n");
  Write("/etc/a", "A");
  auto host = Open();
  EXPECT_TRUE(host->complete());
  EXPECT_EQ(host->Read("/etc/a")->bytes, "A");
  EXPECT_EQ(*host->List("/etc"), (std::vector<std::string>{"a", "b"}));
  // Listed without it; listed with it, and not looked at.
  EXPECT_TRUE(host->Resolve("/etc/c").absent());
  EXPECT_EQ(host->Resolve("/etc/b").why_not(), "/etc/b: the capture was made without a look at it");
  EXPECT_TRUE(host->Resolve("/usr/lib/x").absent());
  EXPECT_TRUE(host->Resolve("/usr/bin").not_observed());
  EXPECT_EQ(host->List("/usr").why_not(), "the capture was made without a listing of it");
}

TEST_F(TreeHostTest, TheManifestSaysWhatTheCaptureSawOfItsHost) {
  EXPECT_FALSE(TreeHostTest::Open()->complete());
  Manifest(R"(, "running": false, "observer_uid": 1000, "remarks": ["half of it"])");
  Write("/.vgpu-capture/files.jsonl", "");
  auto host = Open();
  EXPECT_FALSE(host->running());
  EXPECT_FALSE(host->complete());
  EXPECT_EQ(*host->observer_uid(), 1000u);
  EXPECT_EQ(host->remarks(), (std::vector<std::string>{"half of it"}));
}

TEST_F(TreeHostTest, OfAFileTheFirstPartMayBeAllThatWasCaptured) {
  Manifest(R"(, "first_part": ["/a"])");
  Write("/a", "0123");
  Write("/b", "0123");
  auto host = Open();
  EXPECT_TRUE(host->Read("/a", 4)->truncated);
  EXPECT_FALSE(host->Read("/b", 4)->truncated);
}

TEST_F(TreeHostTest, ALinkWhoseTargetNobodyCouldRead) {
  Manifest(R"(, "not_observed": [{"path": "/proc/1/exe", "reason": "permission denied"}])");
  Write("/.vgpu-capture/files.jsonl", R"({"path": "/proc/1/exe", "type": "symlink"})");
  EXPECT_EQ(Open()->ReadLink("/proc/1/exe").why_not(), "permission denied");
}

TEST(TreeHostOver, FilesInMemoryAreAHostLikeOthers) {
  auto files = std::make_unique<MemoryFiles>();
  const auto text = [](absl::string_view bytes) {
    return std::make_shared<const std::string>(bytes);
  };
  ASSERT_TRUE(
      files->AddFile("/.vgpu-capture/manifest.json", text(R"({"schema": "vgpu-doctor.capture/1"})"))
          .ok());
  ASSERT_TRUE(files->AddFile("/.vgpu-capture/files.jsonl", text("")).ok());
  ASSERT_TRUE(files->AddFile("/usr/bin/a", text("A")).ok());
  ASSERT_TRUE(files->AddLink("/bin", "usr/bin").ok());
  const auto host = TreeHost::Over(std::move(files));
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ((*host)->Read("/bin/a")->bytes, "A");
  EXPECT_EQ(*(*host)->List("/"), (std::vector<std::string>{"bin", "usr"}));
  EXPECT_TRUE((*host)->Read("/bin/b").absent());
}

}  // namespace
}  // namespace vgpu::host
