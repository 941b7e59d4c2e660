#include "diag/rules/shared/loader_lines.h"

#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

using Kind = LoaderLine::Kind;

TEST(LoaderLinesTest, ALibraryThatIsMissing) {
  const auto line = ParseLoaderLine(
      "/usr/local/bin/ollama: error while loading shared libraries: libmissingdep.so.1: cannot "
      "open shared object file: No such file or directory");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->kind, Kind::kLibrary);
  EXPECT_EQ(line->library, "libmissingdep.so.1");
  EXPECT_TRUE(line->at_start);
}

TEST(LoaderLinesTest, ASymbolWithAndWithoutVersion) {
  const auto line = ParseLoaderLine(
      "ollama: symbol lookup error: /opt/vgpu/lib/libcuda.so.1: undefined symbol: cuCtxGetFlags");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->kind, Kind::kSymbol);
  EXPECT_EQ(line->library, "/opt/vgpu/lib/libcuda.so.1");
  EXPECT_EQ(line->symbol, "cuCtxGetFlags");
  EXPECT_EQ(line->version, "");
  EXPECT_TRUE(line->at_start);

  const auto versioned = ParseLoaderLine(
      "OSError: /usr/local/lib/ollama/libggml-cuda.so: undefined symbol: cublasGetStatusString, "
      "version libcublas.so.12");
  ASSERT_TRUE(versioned);
  EXPECT_EQ(versioned->symbol, "cublasGetStatusString");
  EXPECT_EQ(versioned->version, "libcublas.so.12");
  EXPECT_FALSE(versioned->at_start);
}

// Era A says it in a record's message, between quotes (gpu.go, v0.9.2).
TEST(LoaderLinesTest, ASymbolInAMessage) {
  for (const char* text :
       {R"(msg="Unable to load cudart library /opt/x.so: symbol lookup for cuCtxCreate_v3 failed: )"
        R"(/opt/x.so: undefined symbol: cuCtxCreate_v3")",
        R"(msg="/opt/x.so: undefined symbol: cuCtxCreate_v3")"}) {
    const auto line = ParseLoaderLine(text);
    ASSERT_TRUE(line);
    EXPECT_EQ(line->library, "/opt/x.so");
    EXPECT_EQ(line->symbol, "cuCtxCreate_v3");
  }
}

TEST(LoaderLinesTest, AVersionThatIsMissing) {
  const auto line = ParseLoaderLine(
      "/usr/local/bin/ollama: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found "
      "(required by /usr/lib64/libvgpu-cuda.so)");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->kind, Kind::kVersion);
  EXPECT_EQ(line->library, "/lib/x86_64-linux-gnu/libc.so.6");
  EXPECT_EQ(line->version, "GLIBC_2.38");
  EXPECT_EQ(line->required_by, "/usr/lib64/libvgpu-cuda.so");
}

TEST(LoaderLinesTest, AnEntryThatIsPassedOverIsNoEnd) {
  EXPECT_FALSE(ParseLoaderLine(
      "ERROR: ld.so: object '/usr/lib64/libvgpu-cuda.so' from LD_PRELOAD cannot be preloaded "
      "(cannot open shared object file): ignored."));
}

TEST(LoaderLinesTest, OnlyOfTheProcessThatRuns) {
  HostBuilder machine;
  machine.SetLog({"ollama: symbol lookup error: /x/libcuda.so.1: undefined symbol: cuInit",
                  kServerConfigLine, kListeningLine});
  const std::vector<LoaderSays> said = LoaderLines(machine.Gather());
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].line.symbol, "cuInit");
  EXPECT_EQ(said[0].evidence.line, 2);
  EXPECT_TRUE(LoaderLines(HostBuilder().Gather()).empty());
}

}  // namespace
}  // namespace vgpu::rules
