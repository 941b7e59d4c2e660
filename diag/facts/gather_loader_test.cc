#include <string>
#include <vector>

#include "diag/facts/gather.h"
#include "diag/facts/loader_facts.h"
#include "diag/host/tree_host.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LoaderFacts Model(const std::string& incident) {
  auto host = host::TreeHost::Open("testdata/incidents/" + incident + "/host");
  if (!host.ok()) return {};
  return Gather(**host, {}).loader;
}

std::vector<std::string> Roles(const std::vector<ModelledProcess>& processes) {
  std::vector<std::string> roles;
  for (const ModelledProcess& process : processes) {
    roles.push_back(process.role + " " + process.variant);
  }
  return roles;
}

// Words of everything that the model says goes wrong.
std::vector<std::string> Troubles(const LoaderFacts& model) {
  std::vector<std::string> texts;
  const auto add = [&](const std::vector<loader::Problem>& problems) {
    for (const loader::Problem& problem : problems) texts.push_back(problem.text);
  };
  for (const auto* processes : {&model.now, &model.next}) {
    for (const ModelledProcess& process : *processes) {
      add(process.start.problems);
      for (const loader::Opened& open : process.opened) add(open.problems);
    }
  }
  return texts;
}

TEST(GatherLoaderTest, AHealthyHostOfEachEraHasNoTrouble) {
  EXPECT_THAT(Troubles(Model("healthy-era-a")), IsEmpty());
  EXPECT_THAT(Troubles(Model("healthy-era-b")), IsEmpty());
  EXPECT_THAT(Troubles(Model("healthy-era-c")), IsEmpty());
}

TEST(GatherLoaderTest, EachEraHasItsProcesses) {
  EXPECT_THAT(Roles(Model("healthy-era-a").now), ElementsAre("server ", "model runner cuda_v12"));
  EXPECT_THAT(Roles(Model("healthy-era-b").now),
              ElementsAre("server ", "discovery runner cuda_v12"));
  EXPECT_THAT(Roles(Model("healthy-era-c").now),
              ElementsAre("server ", "llama-server cuda_v12", "gpu-discover cuda_v12"));
}

TEST(GatherLoaderTest, WhatRunsAndTheNextStartAreSaidOnceWhereTheyAgree) {
  const LoaderFacts model = Model("healthy-era-c");
  EXPECT_THAT(model.next, IsEmpty());
}

TEST(GatherLoaderTest, TheBackendsDriverIsTheShim) {
  const LoaderFacts model = Model("healthy-era-c");
  ASSERT_GE(model.now.size(), 2u);
  const loader::Opened* backend = model.now[1].Backend();
  ASSERT_NE(backend, nullptr);
  const loader::Object* driver = backend->load.Find("libcuda.so.1");
  ASSERT_NE(driver, nullptr);
  ASSERT_TRUE(driver->file.present());
  EXPECT_EQ(driver->file->path, "/opt/vgpu/lib/libvgpu-cuda.so");
}

TEST(GatherLoaderTest, ANextStartThatDiffersIsModelledToo) {
  const LoaderFacts model = Model("started-before-drop-in-not-restarted");
  EXPECT_FALSE(model.now.empty());
  EXPECT_FALSE(model.next.empty());
}

}  // namespace
}  // namespace vgpu::facts
