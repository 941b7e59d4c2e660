#include "tools/vgpu_doctor/watch/story.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace vgpu::doctor {
namespace {

TEST(ResultIn, TellsTheProcessorFromAGpu) {
  EXPECT_EQ(ResultIn("time=x level=INFO msg=\"inference compute\" id=GPU-1 library=CUDA name=a"),
            Found::kGpu);
  EXPECT_EQ(ResultIn("level=INFO msg=\"inference compute\" id=GPU-1 library=cuda variant=v12"),
            Found::kGpu);
  EXPECT_EQ(ResultIn("level=INFO msg=\"inference compute\" id=0 library=cpu variant=\"\""),
            Found::kNoGpu);
  EXPECT_EQ(ResultIn("level=INFO msg=\"starting runner\" library=CUDA"), Found::kNothing);
}

TEST(IsOfGpu, KnowsThemByTheirNames) {
  EXPECT_TRUE(IsOfGpu("/usr/lib64/libvgpu-nvml.so"));
  EXPECT_TRUE(IsOfGpu("/opt/libcuda.so.1"));
  EXPECT_TRUE(IsOfGpu("/usr/local/lib/ollama/cuda_v12/libggml-base.so"));
  EXPECT_FALSE(IsOfGpu("/opt/cuda/libc.so.6"));
}

class StoryTest : public ::testing::Test {
 protected:
  Story Make(bool json) {
    return Story(json, absl::UTCTimeZone(), [this](const std::string& text) { said_ += text; });
  }
  static Sighting Child() {
    Sighting child;
    child.pid = 130;
    child.parent = 123;
    child.first = absl::UnixEpoch();
    child.last = absl::UnixEpoch() + absl::Milliseconds(310);
    child.alive = false;
    child.program = std::string("/usr/local/bin/ollama");
    child.arguments = std::vector<std::string>({"ollama", "runner"});
    child.environment = std::vector<std::pair<std::string, std::string>>(
        {{"LD_PRELOAD", "/l/libvgpu-cuda.so"}, {"OLLAMA_API_KEY", "hunter2"}});
    child.libraries = std::vector<std::string>({"/lib/libc.so.6", "/l/libvgpu-cuda.so"});
    child.status = 11;
    return child;
  }
  std::string said_;
};

TEST_F(StoryTest, AChildIsToldInWords) {
  Story story = Make(false);
  story.Program(Child(), absl::UnixEpoch());
  story.Ended(Child(), absl::UnixEpoch() + absl::Milliseconds(310));
  EXPECT_EQ(said_,
            "00:00:00.000  process  130, a child of 123: ollama runner\n"
            "                LD_PRELOAD=/l/libvgpu-cuda.so\n"
            "                OLLAMA_API_KEY=<redacted>\n"
            "00:00:00.310  ended    130, after about 0.31 s: signal 11 (Segmentation fault)\n"
            "                libraries of a GPU that it had loaded: /l/libvgpu-cuda.so\n");
}

TEST_F(StoryTest, EveryLineOfJsonIsAValue) {
  Story story = Make(true);
  story.Watching("a.service", true, "not here");
  story.Log(absl::UnixEpoch(), "a \x1b[31m \xff token=hunter2");
  story.Program(Child(), absl::UnixEpoch());
  story.Ended(Child(), absl::UnixEpoch());
  const Sightings seen("/proc", [](const Sighting&, Moment) {});
  story.Summary(seen, Found::kGpu, "a line", absl::Seconds(3), {{"x", "y"}});
  std::vector<std::string> events;
  size_t begin = 0;
  for (size_t end = 0; (end = said_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto json = nlohmann::json::parse(said_.substr(begin, end - begin), nullptr, false);
    ASSERT_TRUE(json.is_object());
    events.push_back(json["event"]);
  }
  EXPECT_EQ(events, std::vector<std::string>({"watching", "log", "program", "ended", "summary"}));
  EXPECT_FALSE(absl::StrContains(said_, "hunter2"));
  EXPECT_FALSE(absl::StrContains(said_, "\x1b"));
}

TEST_F(StoryTest, ALogWithoutAnEndIsCutAndTheSummaryIsNot) {
  Story story = Make(false);
  for (size_t i = 0; i < 2 * Story::kMaxLines; ++i) story.Log(absl::UnixEpoch(), "again");
  EXPECT_TRUE(absl::StrContains(said_, "(more is not shown)"));
  EXPECT_LT(said_.size(), 60 * Story::kMaxLines);
  said_.clear();
  const Sightings seen("/proc", [](const Sighting&, Moment) {});
  story.Summary(seen, Found::kNothing, "", absl::Seconds(120), {{"the log", "none came"}});
  EXPECT_EQ(said_,
            "\nThe end of discovery was not seen in 120 s.\nNot seen:\n  the log: none came\n");
  said_.clear();
  Story json = Make(true);
  for (size_t i = 0; i < 2 * Story::kMaxLines; ++i) json.Log(absl::UnixEpoch(), "again");
  EXPECT_TRUE(absl::EndsWith(said_, "}\n{\"event\":\"cut\"}\n"));
}

}  // namespace
}  // namespace vgpu::doctor
