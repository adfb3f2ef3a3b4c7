/*
 * ranks_test.cpp - the program under mpirun with pretended GPUs: NCCL's id over MPI, processes that share the GPUs they see,
 * the bits of one GPU, and ends that no process sees alone.
 */
#include <filesystem>

#include "mpi_rig.h"

namespace {

class GpuRanks : public Mpi {
  protected:
    How with(const std::vector<std::string> &more = {}) const {
        How how;
        how.environment = {"FITRELU_NCCL=" NCCL_ON_CPU, "CUDA_ON_CPU_SHARED=" + folder, "CUDA_ON_CPU_DEVICES=8"};
        for (const std::string &one : more) how.environment.push_back(one);
        return how;
    }
    const std::string line = "--samples 403 --features 37 --batch 32 --iterations 20 --workers 8 --seed 3 --quiet ";
};

/* What communicators leave behind: nothing but that ranks were there, and the last of their messages. */
size_t files_of(const std::string &folder) {
    size_t count = 0;
    for (const auto &entry : std::filesystem::directory_iterator(folder))
        count += entry.path().filename().string().rfind("cuda_on_cpu", 0) == 0;
    return count;
}

} // namespace

TEST_F(GpuRanks, SeveralProcessesHaveTheBitsOfOneGpu) {
    for (const char *how : {"--levels 15 --collective allreduce", "--levels 127 --collective allreduce",
                            "--levels 15 --collective allreduce --wire packed --precision f32", "--levels 31 --collective allgather",
                            "--levels 31 --collective two-phase", "--levels 31 --collective master --scale max"}) {
        ASSERT_EQ(run("fit " + line + how + " --gpus 1 --model one", with()).code, 0) << how;
        for (const auto &[processes, gpus] : {std::pair(2, 1), std::pair(4, 2), std::pair(2, 4)}) {
            const Said said = ranks(processes, line + how + " --model many --gpus " + std::to_string(gpus), with());
            ASSERT_EQ(said.code, 0) << processes << " x " << gpus << ": " << said.err;
            EXPECT_EQ(read("many"), read("one")) << processes << " processes of " << gpus << " GPUs, " << how;
        }
    }
    EXPECT_GT(files_of(folder), 0u) << "they meet in files";
    EXPECT_LE(files_of(folder), 6u * (2 + 8 + 8) * 2) << "messages that were read go";
}

/* One process whose environment wants plain steps keeps all from recording. */
TEST_F(GpuRanks, RanksOfAllProcessesRecordTogetherOrNotAtAll) {
    const std::string how = line + "--levels 15 --gpus 2 ";
    ASSERT_EQ(ranks(2, how + "--model one", with()).code, 0);
    const Said plain = ranks(2, how + "--model many", with(), 1, "--no-graphs");
    ASSERT_EQ(plain.code, 0) << plain.err;
    EXPECT_EQ(read("many"), read("one"));
}

/* A rank that never arrives is a timeout of all, told once. */
TEST_F(GpuRanks, ASilentGpuEndsEveryProcess) {
    const Said said = ranks(2, line + "--levels 15 --gpus 2 --timeout 2", with({"CUDA_ON_CPU_HANG=ncclAllReduce:3:9"}));
    EXPECT_EQ(said.code, 8) << said.err;
    ASSERT_GE(failures(said).size(), 1u) << said.err;
    EXPECT_NE(failures(said)[0].find("no answer for 2 seconds"), std::string::npos) << said.err;
}

TEST_F(GpuRanks, MoreGpusThanThereAreIsRefusedByAll) {
    refused(ranks(2, line + "--gpus 4", with({"CUDA_ON_CPU_DEVICES=6"})), 7,
            {"--gpus is 4; of the GPUs that process 1 sees, 2 are not taken"});
}
