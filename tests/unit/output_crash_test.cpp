/*
 * output_crash_test.cpp - what a writer leaves behind that was killed, what the next one makes of it, and who may read a
 * file before it has its name.
 */
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <functional>

extern "C" {
#include "base/output_file.h"
#include "base/temporary_file.h"
}

/* While it is true a rename kills the process, as a power cut might. The program's own function goes before libc's. */
static bool dies_in_rename;
/* Called at the next rename, which then fails. */
static std::function<void()> disturbs_rename;
extern "C" int rename(const char *from, const char *to) {
    if (dies_in_rename) raise(SIGKILL);
    if (!disturbs_rename) return renameat(AT_FDCWD, from, AT_FDCWD, to);
    disturbs_rename();
    disturbs_rename = nullptr;
    errno = EIO;
    return -1;
}

namespace {

class OutputCrash : public Scratch {
  protected:
    void TearDown() override {
        fr_temporary_always_named = false;
        Scratch::TearDown();
    }

    /* What a killed process leaves that has written `name` as told. */
    void killed(const std::string &name, const std::function<void(fr_output *)> &write) {
        pid_t child = fork();
        if (child == 0) {
            if (open(name) == FR_OK) write(out);
            raise(SIGKILL);
        }
        int status = 0;
        waitpid(child, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    }

    mode_t mode_of(const std::string &name) {
        struct stat about = {};
        EXPECT_EQ(stat(at(name).c_str(), &about), 0);
        return about.st_mode & 07777;
    }

    fr_error error{};
    fr_output *out = nullptr;
    fr_status open(const std::string &name) { return fr_output_open(name.c_str(), &out, &error); }
};

TEST_F(OutputCrash, AKilledWriterLeavesNothing) {
    if (::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) < 0) GTEST_SKIP() << "no O_TMPFILE here";
    killed(at("f"), [](fr_output *o) { fr_output_printf(o, "half") && fr_output_flush(o); });
    EXPECT_TRUE(names().empty());
}

TEST_F(OutputCrash, TheNextWriterRemovesWhatAKilledOneLeftOfTheSameTarget) {
    for (bool named : {false, true}) {
        fr_temporary_always_named = named;
        auto dies = [](fr_output *o) {
            fr_output_printf(o, "whole");
            dies_in_rename = true;
            fr_output_commit(o, nullptr);
        };
        killed(at("f"), dies);
        killed(at("other"), dies);
        ASSERT_EQ(names().size(), 2u);
        ASSERT_EQ(open(at("f")), FR_OK);
        EXPECT_EQ(names().size(), named ? 2u : 1u); /* other's, and the new one where it has a name */
        ASSERT_EQ(fr_output_commit(out, &error), FR_OK) << error.message;
        ASSERT_EQ(names().size(), 2u);
        ASSERT_EQ(open(at("other")), FR_OK);
        ASSERT_EQ(fr_output_commit(out, &error), FR_OK) << error.message;
        ASSERT_EQ(names().size(), 2u);
        EXPECT_EQ(read("f") + read("other"), "");
        unlink(at("f").c_str());
        unlink(at("other").c_str());
    }
}

TEST_F(OutputCrash, TwoLivingWritersOfATargetDoNotDisturbEachOther) {
    for (bool named : {false, true}) {
        fr_temporary_always_named = named;
        fr_output *first = nullptr;
        ASSERT_EQ(fr_output_open(at("f").c_str(), &first, &error), FR_OK);
        ASSERT_EQ(open(at("f")), FR_OK);
        fr_output_printf(first, "first");
        fr_output_printf(out, "second");
        ASSERT_EQ(fr_output_finish(first, &error), FR_OK);
        ASSERT_EQ(fr_output_commit(out, &error), FR_OK) << error.message;
        EXPECT_EQ(read("f"), "second");
        ASSERT_EQ(fr_output_commit(first, &error), FR_OK) << error.message;
        EXPECT_EQ(read("f"), "first");
        EXPECT_EQ(names().size(), 1u);
    }
}

/* Of two files that belong together the old ones have second names for a moment. */
TEST_F(OutputCrash, ASecondNameOfAnOldFileGoesWithTheNextWriter) {
    write("f", "old");
    write("g", "old");
    killed(at("f"), [this](fr_output *o) {
        fr_output *both[2] = {o, nullptr};
        if (fr_output_open(at("g").c_str(), &both[1], nullptr) != FR_OK) return;
        dies_in_rename = true;
        fr_output_commit_all(both, 2, nullptr);
    });
    EXPECT_EQ(read("f") + read("g"), "oldold");
    EXPECT_EQ(names().size(), 5u) << "both, a second name of each, and the new f";
    for (const char *name : {"f", "g"}) {
        ASSERT_EQ(open(at(name)), FR_OK);
        ASSERT_EQ(fr_output_commit(out, &error), FR_OK) << error.message;
    }
    EXPECT_EQ(names().size(), 2u);
}

TEST_F(OutputCrash, ASecondNameOfALivingWriterIsNotTakenForALeftover) {
    fr_output *both[2] = {};
    for (int i = 0; i < 2; i++) {
        write(i ? "g" : "f", "old");
        ASSERT_EQ(fr_output_open(at(i ? "g" : "f").c_str(), &both[i], &error), FR_OK);
    }
    size_t during = 0;
    disturbs_rename = [&] {
        ASSERT_EQ(open(at("f")), FR_OK);
        during = names().size();
        fr_output_discard(out);
    };
    EXPECT_EQ(fr_output_commit_all(both, 2, &error), FR_ERROR);
    EXPECT_GE(during, 5u);
    EXPECT_EQ(read("f") + read("g"), "oldold");
    EXPECT_EQ(names().size(), 2u);
}

TEST_F(OutputCrash, ATemporaryFileIsPrivateAndTheTargetHasTheModeOfTheUmask) {
    mode_t before = umask(027);
    for (bool named : {false, true}) {
        fr_temporary_always_named = named;
        ASSERT_EQ(open(at("f")), FR_OK);
        if (named) {
            ASSERT_EQ(names().size(), 1u);
            EXPECT_EQ(mode_of(names()[0]), (mode_t)0600);
        }
        ASSERT_EQ(fr_output_commit(out, &error), FR_OK) << error.message;
        EXPECT_EQ(mode_of("f"), (mode_t)0640);
        unlink(at("f").c_str());
    }
    umask(before);
}

TEST_F(OutputCrash, SetUserIdIsNotCopied) {
    chmod(write("f", "old").c_str(), 06755);
    ASSERT_EQ(open(at("f")), FR_OK);
    ASSERT_EQ(fr_output_commit(out, &error), FR_OK) << error.message;
    EXPECT_EQ(mode_of("f"), (mode_t)0755);
}

} // namespace
