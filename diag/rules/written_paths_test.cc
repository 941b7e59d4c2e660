#include "diag/rules/written_paths.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

using Paths = std::vector<std::string>;

TEST(WrittenPathsTest, OfEachVerbTheArgumentsThatItWrites) {
  EXPECT_EQ(WrittenPaths("sudoedit /etc/default/ollama"), (Paths{"/etc/default/ollama"}));
  EXPECT_EQ(WrittenPaths("sudo install -m 0755 libvgpu-cuda.so /opt/vgpu/libvgpu-cuda.so"),
            (Paths{"/opt/vgpu/libvgpu-cuda.so"}));
  EXPECT_EQ(WrittenPaths("sudo chmod a+rx /a /b"), (Paths{"/a", "/b"}));
  EXPECT_EQ(WrittenPaths("sudo setcap -r /usr/bin/ollama"), (Paths{"/usr/bin/ollama"}));
  EXPECT_EQ(WrittenPaths("curl -fsSL https://x/y.tar.zst | sudo tar x --zstd -C /opt"),
            (Paths{"/opt"}));
}

TEST(WrittenPathsTest, OfEachCommandOfALine) {
  EXPECT_EQ(WrittenPaths("sudo mv -T /a /a.old && sudo ln -s /b /a"),
            (Paths{"/a", "/a.old", "/a"}));
  EXPECT_EQ(WrittenPaths("sudo mkdir -p /d && printf '[Service]\\nA=1; B=/x\\n' | sudo tee /d/f"),
            (Paths{"/d/f"}));
}

TEST(WrittenPathsTest, QuotesAreTheShells) {
  EXPECT_EQ(WrittenPaths("sudo rm '/opt/a b/it'\\''s.so'"), (Paths{"/opt/a b/it's.so"}));
}

TEST(WrittenPathsTest, WhatSystemctlKeepsIsAFileOfItsOwn) {
  EXPECT_EQ(WrittenPaths("sudo systemctl enable --now ollama.service"),
            (Paths{"/etc/systemd/system/ollama.service"}));
  EXPECT_EQ(WrittenPaths("sudo systemctl edit --full ollama.service"),
            (Paths{"/etc/systemd/system/ollama.service"}));
  EXPECT_EQ(WrittenPaths("sudo systemctl restart ollama.service"), Paths());
  EXPECT_EQ(WrittenPaths("sudo systemctl --user --machine=1000@.host disable --now x.service"),
            Paths());
}

TEST(WrittenPathsTest, WhatOnlyShowsWritesNothing) {
  EXPECT_EQ(WrittenPaths(""), Paths());
  EXPECT_EQ(WrittenPaths("ls -lL /nix/store/x/lib/ollama/*/libggml-cuda*"), Paths());
  EXPECT_EQ(WrittenPaths("journalctl -k | grep -E 'segfault|trap'"), Paths());
}

}  // namespace
}  // namespace vgpu::rules
