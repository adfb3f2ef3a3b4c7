/*
 * cgroup_test.cpp - the quota of processors, read from control groups of both versions under a made-up root.
 */
#include "scratch.h"

#include <climits>
#include <filesystem>

extern "C" {
#include "base/cgroup.h"
#include "base/threads.h"
}

namespace {

class Quota : public Scratch {
  protected:
    void TearDown() override { std::filesystem::remove_all(folder); }
    void put(const std::string &path, const std::string &text) {
        std::filesystem::create_directories(std::filesystem::path(at(path)).parent_path());
        write(path, text);
    }
    int processors() { return fr_cgroup_processors(folder.c_str()); }
};

TEST_F(Quota, NoneWhereNothingIsSaid) {
    EXPECT_EQ(processors(), INT_MAX);
    put("proc/self/cgroup", "0::/\n");
    EXPECT_EQ(processors(), INT_MAX);
    put("sys/fs/cgroup/cpu.max", "max 100000\n");
    EXPECT_EQ(processors(), INT_MAX);
    for (const char *text : {"", "0 0\n", "-1 100000\n", "100000\n", "100000 0\n", "what\n"}) {
        put("sys/fs/cgroup/cpu.max", text);
        EXPECT_EQ(processors(), INT_MAX) << text;
    }
}

TEST_F(Quota, UnifiedIsTheLeastOfTheGroupAndItsAncestorsRoundedUp) {
    put("proc/self/cgroup", "0::/outer/inner\n");
    put("sys/fs/cgroup/outer/cpu.max", "400000 100000\n");
    EXPECT_EQ(processors(), 4);
    put("sys/fs/cgroup/outer/inner/cpu.max", "150000 100000\n");
    EXPECT_EQ(processors(), 2);
    put("sys/fs/cgroup/cpu.max", "5000 100000\n");
    EXPECT_EQ(processors(), 1);
}

TEST_F(Quota, AGroupThatIsNotVisibleLeavesTheRootOfTheContainer) {
    put("proc/self/cgroup", "0::/machine/not/here\n");
    put("sys/fs/cgroup/cpu.max", "300000 100000\n");
    EXPECT_EQ(processors(), 3);
}

TEST_F(Quota, VersionOne) {
    put("proc/self/cgroup", "5:cpuset:/a\n4:cpu,cpuacct:/box\n1:name=systemd:/b\n");
    put("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(processors(), INT_MAX);
    put("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "250000\n");
    EXPECT_EQ(processors(), 3);
}

TEST(DefaultThreads, AreAtLeastOne) { EXPECT_GE(fr_default_threads(), 1); }

} // namespace
