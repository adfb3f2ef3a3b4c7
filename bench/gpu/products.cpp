/*
 * products.cpp - the comparison: the same iteration by a gather and two products of cuBLAS.
 *
 *     R <- the m drawn rows, gathered;  p <- R w;  c <- coefficients of p;  w <- w - eta R^T c
 *
 * Drawn rows are read, written and read twice more: 4 m d floats move where the fused kernel moves m d. For a pass over
 * all rows there is no gather, and X is read twice.
 */
#include <cublas_v2.h>

#include "bench_kernels.h"
#include "suite.h"
extern "C" {
#include "kernels/kernels.h"
}

namespace bench {
namespace {

void check_blas(cublasStatus_t status, const char *what) {
    if (status != CUBLAS_STATUS_SUCCESS) throw Failure{std::string(what) + ": " + cublasGetStatusString(status)};
}

/* One iteration, enqueued. */
struct Products {
    Products(const Rig &rig, int64_t n, int64_t d, int64_t m)
        : stream(rig.stream), samples(n), features(d), draws(m), x(floats(n * d)), y(floats(n)), rows(floats(m * d)),
          targets(floats(m)), products(floats(m)), weights(floats(d)), step(sizeof(int64_t)), workspace(32 << 20) {
        check_blas(cublasCreate(&handle), "cuBLAS");
        check_blas(cublasSetStream(handle, stream), "cuBLAS");
        check_blas(cublasSetWorkspace(handle, workspace.at, 32 << 20),
                   "cuBLAS"); /* none is allocated while recording */
        check(cudaMemsetAsync(weights.at, 0, floats(d), stream), "zeroing");
        check(cudaMemsetAsync(step.at, 0, sizeof(int64_t), stream), "zeroing");
        plant();
    }
    ~Products() { cublasDestroy(handle); }
    Products(const Products &) = delete;
    Products &operator=(const Products &) = delete;
    /* Normal rows; labels of w* = 0. d is a multiple of four in every size of the suite. */
    void plant() const {
        const Memory planted(static_cast<size_t>(features) * sizeof(double));
        fr_shard shard = {};
        shard.precision = FR_F32, shard.samples = samples, shard.features = shard.stride = features;
        check(cudaMemsetAsync(planted.at, 0, static_cast<size_t>(features) * sizeof(double), stream), "zeroing");
        check(
            fr_launch_planted(&shard, 0, samples, 1, 0, static_cast<const double *>(planted.at), x.at, y.at, stream),
            "planting");
        check(cudaStreamSynchronize(stream), "planting");
    }
    static size_t floats(int64_t count) { return static_cast<size_t>(count) * sizeof(float); }

    void iterate() const {
        const float one = 1, zero = 0, minus_eta = -1e-12F;
        const int d = static_cast<int>(features), m = static_cast<int>(draws);
        int64_t *now = static_cast<int64_t *>(step.at);
        check(launch_gather(x.floats(), y.floats(), samples, features, draws, 1, now, rows.floats(), targets.floats(),
                            stream),
              "gathering");
        /* Column-major: R as it lies is d x m. */
        check_blas(cublasSgemv(handle, CUBLAS_OP_T, d, m, &one, rows.floats(), d, weights.floats(), 1, &zero,
                               products.floats(), 1),
                   "the first product");
        check(launch_coefficients(targets.floats(), draws, products.floats(), now, stream), "coefficients");
        check_blas(cublasSgemv(handle, CUBLAS_OP_N, d, m, &minus_eta, rows.floats(), d, products.floats(), 1, &one,
                               weights.floats(), 1),
                   "the second product");
    }

    cudaStream_t stream;
    int64_t samples, features, draws;
    Memory x, y, rows, targets, products, weights, step, workspace;
    cublasHandle_t handle = nullptr;
};

} // namespace

void product_times(const Rig &rig, const Sizes &sizes, std::vector<double> *plain, std::vector<double> *graphed) {
    const Products products(rig, rig.plan.samples, rig.plan.features, rig.plan.batch);
    const auto wait = [&] { rig.wait(); };
    *plain = host_times(
        sizes.repeats, sizes.steps,
        [&](int steps) {
            for (int i = 0; i < steps; i++) products.iterate();
        },
        wait);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    check(cudaStreamBeginCapture(rig.stream, cudaStreamCaptureModeThreadLocal), "recording cuBLAS");
    products.iterate();
    check(cudaStreamEndCapture(rig.stream, &graph), "recording cuBLAS");
    const cudaError_t code = cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    check(code, "recording cuBLAS");
    *graphed = host_times(
        sizes.repeats, sizes.steps,
        [&](int steps) {
            for (int i = 0; i < steps; i++) check(cudaGraphLaunch(executable, rig.stream), "replaying cuBLAS");
        },
        wait);
    cudaGraphExecDestroy(executable);
}

} // namespace bench
