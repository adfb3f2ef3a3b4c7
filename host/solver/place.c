/*
 * place.c - ranks on devices, in threads and in processes.
 *
 * Threads live for one job (create, run, free), not for the life of a solver: nothing of CUDA or NCCL is bound to a
 * thread except the current device, which engines and exchanges choose themselves.
 */
#include "solver/place.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "exchange/mpi.h"
#include "plan/collective.h"
#include "solver/devices.h"
#ifdef FR_HAVE_CUDA
#include "engine/cuda/cuda.h"
#include "engine/cuda/dense.h"
#endif
#ifdef FR_HAVE_NCCL
#include "exchange/nccl.h"
#endif

/* ----------------------------------------------------------------------------------------- options */

static fr_status check_cuda(const fr_options *options, fr_error *error) {
#ifdef FR_HAVE_CUDA
    int devices, wanted = options->gpus > 0 ? options->gpus : 1;
    if (options->device == FR_DEVICE_CPU)
        return fr_fail(error, FR_ERROR_USAGE, "--gpus %d contradicts --device cpu", options->gpus);
    if (options->wire == FR_WIRE_ELIAS)
        return fr_fail(error, FR_ERROR_USAGE, "--wire %s is for CPUs; GPUs exchange int8 levels",
                       fr_wire_name(options->wire));
    FR_TRY(fr_cuda_count(&devices, error));
    if (wanted > devices)
        return fr_fail(error, FR_ERROR_DEVICE, "--gpus is %d; this machine has %d", wanted, devices);
    if (wanted > FR_MOST_VISIBLE)
        return fr_fail(error, FR_ERROR_DEVICE, "--gpus is %d; a process may have %d", wanted, FR_MOST_VISIBLE);
#ifndef FR_HAVE_NCCL
    if (wanted * fr_world_size(options->world) > 1)
        return fr_fail(error, FR_ERROR_DEVICE, "more than one GPU needs NCCL, and this fitrelu was built without it");
#endif
    return FR_OK;
#else
    return fr_fail(error, FR_ERROR_DEVICE, "%s needs CUDA, and this fitrelu was built without it; use --device cpu",
                   options->gpus > 0 ? "--gpus" : "--device cuda");
#endif
}

static fr_status check_cpu(const fr_options *options, fr_error *error) {
    if (options->storage == FR_STORAGE_BF16)
        return fr_fail(error, FR_ERROR_USAGE, "--storage bf16 is for GPUs; it needs --device cuda or --gpus");
    if (options->wire == FR_WIRE_BF16)
        return fr_fail(error, FR_ERROR_USAGE, "--wire bf16 is for GPUs; it needs --device cuda or --gpus");
    return FR_OK;
}

/* The numbers alone: ranks, a dedicated master and workers. Over the CPUs of several processes, master means a master:
 * rank 0 keeps the model and has no rows. */
static fr_status count_ranks(fr_options *options, fr_place *place, fr_error *error) {
    int processes = fr_world_size(options->world);
    *place = (fr_place){.cuda = options->device == FR_DEVICE_CUDA || options->gpus > 0,
                        .plain_steps = options->plain_steps,
                        .timeout = options->timeout,
                        .world = options->world};
    if (options->gpus < 0) return fr_fail(error, FR_ERROR_USAGE, "--gpus is %d; it must be 0 or more", options->gpus);
    place->ranks = place->cuda && options->gpus > 0 ? options->gpus : 1;
    place->all_ranks = place->ranks * processes;
    place->dedicated_master = !place->cuda && processes > 1 && fr_collectives[options->collective]->has_master;
    int working = place->all_ranks - place->dedicated_master;
    if (options->workers == 0) options->workers = working;
    if (options->workers % working == 0) return FR_OK;
    if (place->dedicated_master)
        return fr_fail(error, FR_ERROR_USAGE, "--workers is %d; it must be a multiple of %d, the ranks without the master",
                       options->workers, working);
    if (processes > 1)
        return fr_fail(error, FR_ERROR_USAGE, "--workers is %d; it must be a multiple of the %d ranks", options->workers,
                       working);
    return fr_fail(error, FR_ERROR_USAGE, "--workers is %d; it must be a multiple of --gpus %d", options->workers,
                   working);
}

fr_status fr_read_options_share(fr_read_options *reading, const fr_options *options, fr_error *error) {
    fr_options counted = *options;
    fr_place place;
    FR_TRY(count_ranks(&counted, &place, error));
    if (place.all_ranks == place.ranks) return FR_OK;
    const fr_plan plan = {.workers = counted.workers, .dedicated_master = place.dedicated_master};
    fr_range own = {fr_world_rank(options->world) * place.ranks, place.ranks};
    fr_range workers = fr_workers_of_ranks(&plan, place.all_ranks, own);
    reading->all_workers = counted.workers;
    reading->first_worker = (int)workers.first;
    reading->worker_count = (int)workers.count;
    return FR_OK;
}

fr_status fr_place_make(fr_options *options, fr_place *place, fr_error *error) {
    FR_TRY(count_ranks(options, place, error));
    if (options->threads < 0 || options->threads > FR_MOST_THREADS)
        return fr_fail(error, FR_ERROR_USAGE, "--threads is %d; it must be from 1 to %d", options->threads, FR_MOST_THREADS);
    if (!place->cuda) return check_cpu(options, error);
    FR_TRY(check_cuda(options, error));
#ifdef FR_HAVE_NCCL
    if (place->all_ranks > 1)
        FR_TRY(fr_nccl_group_create(place->world, place->ranks, options->timeout, &place->group, error));
#endif
    return FR_OK;
}

/* What this process sees. */
static fr_status look_for_devices(fr_visible_devices *seen, fr_error *error) {
    memset(seen, 0, sizeof *seen);
#ifdef FR_HAVE_CUDA
    FR_TRY(fr_cuda_count(&seen->count, error));
    if (seen->count > FR_MOST_VISIBLE) seen->count = FR_MOST_VISIBLE;
    for (int i = 0; i < seen->count; i++) FR_TRY(fr_cuda_identify(i, seen->id[i], error));
#else
    (void)error;
#endif
    return FR_OK;
}

static fr_status take_devices(fr_place *place, const fr_visible_devices *seen, fr_error *error) {
    FR_TRY(fr_allocate((void **)&place->devices, place->ranks, sizeof *place->devices, "the devices", error));
    for (int r = 0; r < seen->taken; r++) place->devices[r] = seen->own[r];
    if (seen->taken == place->ranks) return FR_OK;
    return fr_fail(error, FR_ERROR_DEVICE,
                   "--gpus is %d; of the GPUs that process %d sees, %d are not taken by the processes before it",
                   place->ranks, fr_world_rank(place->world), seen->taken);
}

fr_status fr_place_share_devices(fr_place *place, fr_error *error) {
    fr_world *world = place->world;
    int processes = fr_world_size(world);
    fr_visible_devices mine;
    FR_OWNED fr_visible_devices *seen = NULL;
    if (!place->cuda) return FR_OK;
    fr_status status = look_for_devices(&mine, error);
    if (status == FR_OK) status = fr_allocate((void **)&seen, processes, sizeof *seen, "the devices", error);
    FR_TRY(fr_world_agree(world, status, error));
    FR_TRY(fr_world_gather(world, &mine, sizeof mine, seen, error));
    fr_devices_share(seen, processes, place->ranks);
    return fr_world_agree(world, take_devices(place, &seen[fr_world_rank(world)], error), error);
}

void fr_place_free(fr_place *place) {
#ifdef FR_HAVE_NCCL
    fr_nccl_group_free(place->group);
#endif
    place->group = NULL;
    fr_place_products_end(place);
    free(place->devices);
    place->devices = NULL;
}

/* ------------------------------------------------------------------------------------------- ranks */

/* The first rank of this process, among the ranks of the world. */
static int first_rank(const fr_place *place) { return fr_world_rank(place->world) * place->ranks; }

/* rank: of this process. */
static void stop_others(fr_place *place, int rank) {
#ifdef FR_HAVE_NCCL
    if (place->group) fr_nccl_group_abort(place->group, first_rank(place) + rank);
#else
    (void)place, (void)rank;
#endif
}

/* The rank of this process that failed first, or -1: none that is known of. */
static int first_to_fail(const fr_place *place) {
    int first = -1;
#ifdef FR_HAVE_NCCL
    if (place->group) first = fr_nccl_group_failed_rank(place->group) - first_rank(place);
#endif
    return first < place->ranks ? first : -1;
}

fr_status fr_place_products(fr_place *place, const fr_device_products **products, fr_error *error) {
    *products = NULL;
    if (!place->cuda) return FR_OK;
#ifdef FR_HAVE_CUDA
    FR_TRY(fr_dense_create(place->devices[0], place->timeout, &place->dense, error));
    *products = fr_dense_products(place->dense);
#else
    (void)error;
#endif
    return FR_OK;
}

void fr_place_products_end(fr_place *place) {
#ifdef FR_HAVE_CUDA
    fr_dense_free(place->dense);
#endif
    place->dense = NULL;
}

fr_status fr_place_engine(fr_place *place, int rank, const fr_plan *plan, const fr_dataset *set, int threads,
                          fr_engine **engine, fr_error *error) {
    fr_range workers = fr_workers_of_rank(plan, place->all_ranks, first_rank(place) + rank);
    fr_engine_config config = {.plan = plan,
                               .data = set,
                               .first_worker = (int)workers.first,
                               .worker_count = (int)workers.count,
                               .threads = threads,
                               .device = place->cuda ? place->devices[rank] : -1,
                               .timeout = place->timeout,
                               .plain_steps = place->plain_steps};
    if (!place->cuda) return fr_engine_cpu_create(&config, engine, error);
#ifdef FR_HAVE_CUDA
    return fr_engine_cuda_create(&config, engine, error);
#else
    return fr_fail(error, FR_ERROR_DEVICE, "this fitrelu was built without CUDA");
#endif
}

fr_status fr_place_comm(fr_place *place, int rank, const fr_plan *plan, fr_engine *engine, fr_comm **comm,
                        fr_error *error) {
#ifdef FR_HAVE_NCCL
    if (place->group) return fr_comm_nccl_create(place->group, first_rank(place) + rank, engine, comm, error);
#else
    (void)rank, (void)engine;
#endif
    if (fr_world_size(place->world) > 1) return fr_comm_mpi_create(place->world, plan, comm, error);
    return fr_comm_local_create(plan, comm, error);
}

typedef struct rank_thread {
    fr_place *place;
    fr_place_job job;
    void *user;
    int rank;
    pthread_t thread;
    bool started;
    fr_status status;
    fr_error error;
} rank_thread;

static void *run_rank(void *argument) {
    rank_thread *self = argument;
    self->status = self->job(self->user, self->rank, &self->error);
    if (self->status != FR_OK) stop_others(self->place, self->rank);
    return NULL;
}

static fr_status gather_status(const fr_place *place, const rank_thread *team, fr_error *error) {
    int first = first_to_fail(place);
    for (int r = 0; r < place->ranks && (first < 0 || team[first].status == FR_OK); r++)
        if (team[r].status != FR_OK) first = r;
    if (first < 0 || team[first].status == FR_OK) return FR_OK;
    if (error) *error = team[first].error;
    fr_error_name_rank(error, first_rank(place) + first);
    return team[first].status;
}

fr_status fr_place_run(fr_place *place, fr_place_job job, void *user, fr_error *error) {
    if (place->ranks == 1) return job(user, 0, error);
    FR_OWNED rank_thread *team = NULL;
    FR_TRY(fr_allocate((void **)&team, place->ranks, sizeof *team, "the ranks", error));
    for (int r = place->ranks - 1; r >= 0; r--) {
        team[r] = (rank_thread){.place = place, .job = job, .user = user, .rank = r};
        if (r == 0) {
            run_rank(&team[r]);
        } else if (pthread_create(&team[r].thread, NULL, run_rank, &team[r]) == 0) {
            team[r].started = true;
        } else {
            team[r].status = fr_fail(&team[r].error, FR_ERROR, "cannot start a thread for rank %d", r);
            stop_others(place, r);
        }
    }
    for (int r = 1; r < place->ranks; r++)
        if (team[r].started) pthread_join(team[r].thread, NULL);
    return gather_status(place, team, error);
}
