/*
 * commands.c - the table of subcommands.
 */
#include <string.h>

#include "options/commands.h"

const command command_table[] = {
    {"fit", COMMAND_FIT, "", 0, 0, "fit one ReLU to planted data or to a file",
     "Fits y = max(0, <w, x>) by mini-batch SGD, or by quantized SGD with --levels or --bits. Without options it "
     "fits a "
     "small planted problem and explains what it did. With --data it fits your own rows: NPY, NPZ (arrays X and y), "
     "CSV or LIBSVM. Started by mpirun or srun, the processes fit together, and rank 0 speaks for all.",
     "fitrelu fit\n"
     "fitrelu fit --samples 20K --features 1K --batch 800 --workers 8 --bits 7\n"
     "fitrelu fit --data houses.csv --label-column price --standardize --intercept --model houses.model\n"
     "fitrelu fit --tolerance 1e-6 --json --history curve.csv\n"
     "mpirun -np 5 fitrelu fit --data rows.npy --labels labels.npy --collective master --bits 7\n",
     cmd_fit},
    {"predict", COMMAND_PREDICT, "MODEL DATA", 2, 2, "apply a fitted model to the rows of a file",
     "Writes one prediction a line for the rows of DATA, in their order. Columns with names are matched to the model's by "
     "name, wherever they stand. Where DATA holds labels as well (or --labels gives them), the loss and R^2 of the "
     "predictions are told on stderr.",
     "fitrelu predict houses.model new.csv\n"
     "fitrelu predict houses.model test.csv --output predictions.npy\n",
     cmd_predict},
    {"generate", COMMAND_GENERATE, "", 0, 0, "write a planted data set to a file",
     "Writes rows, labels and the planted weights w* to FILE: one archive with the arrays X, y and w_star where FILE "
     "ends in .npz; the rows in FILE, with -labels.npy and -planted.npy beside it, where FILE ends in .npy.",
     "fitrelu generate --samples 10K --features 100 --noise 5 --output planted.npz\n", cmd_generate},
    {"experiment", COMMAND_EXPERIMENT, "NAME", 1, 1, "reproduce a figure of the paper and hold its claims against it",
     "Runs the independent trials of an experiment on every core, writes NAME.csv, NAME.json, NAME.png and NAME.svg "
     "into the folder --output, and prints for each claim what the paper says, what was measured and whether it "
     "holds. An interrupted one goes on where it was when called again with the same options. NAME is fig1a (SGD for "
     "several mini-batches), fig1b (QSGD for several numbers of bits), fig2a and fig2b (phase transition over n "
     "and d for SGD and QSGD), scales (which gradient section 4's step size belongs to), collectives (how workers "
     "put quantized gradients together), lemmas (Lemmas 6.1, 6.2 and 6.3 by statistics), theorems (Theorems 3.1 and "
     "3.2 from a start that meets their condition, Remarks 3.2 and 3.9), ensemble (Algorithm 1, on a small problem of its "
     "own), table2 (the paper's EC2 experiment, on hosts that tools/cluster makes; it "
     "needs root, and --samples are those of a worker) or all. all leaves table2 out where it cannot be, and also writes index.html, a page of everything that needs no "
     "other file and no network.",
     "fitrelu experiment fig1a --output results\n"
     "fitrelu experiment fig1a --batches 50,100,200 --seeds 10 --output results\n"
     "fitrelu experiment all --output results\n",
     cmd_experiment},
    {"plan", COMMAND_PLAN, "", 0, 0, "predict steps, bytes and time of each way to exchange gradients",
     "Predicts, without running anything, how many steps a fit of Gaussian rows takes with each collective and number "
     "of levels, what a rank sends and receives, and how long a step and the whole take on the links described; marks "
     "the best and says whether quantization pays. Steps are given twice: near w*, with the step size auto, and as "
     "Theorems 3.1 and 3.2 guarantee them. The text shows for each collective and number of levels the best scale and "
     "wire format; --json has all of them. With --measure under mpirun, the links and processors of the ranks that are "
     "there take the place of the defaults.",
     "fitrelu plan --samples 20K --features 4K --workers 40 --bandwidth 100M\n"
     "fitrelu plan --features 100K --samples 10M --nodes 256 --workers-per-node 8 \\\n"
     "    --bandwidth 100G --inner-bandwidth 2400G --compute-rate 400G\n"
     "mpirun -np 8 --hostfile hosts fitrelu plan --features 100K --measure\n",
     cmd_plan},
    {"bench", COMMAND_BENCH, "[WHAT]", 1, 0, "measure this machine: gradients, coding, exchanges and whole steps, each checked",
     "Times what a fit does, on the threads of this process, on the ranks of mpirun or on GPUs, and holds every result "
     "against what it must be: sums of levels are whole numbers, known to the last bit for any number of ranks. WHAT is "
     "gradient (bytes of rows a second, and the share of the read bandwidth that is measured beside it), encode and decode "
     "(values to levels and back), exchange (every collective with every wire format over sizes), step (whole steps, with "
     "speed-up and efficiency, held against one thread of a CPU) or all (each of them, shortly). Sizes, columns and "
     "bandwidths are those of nccl-tests where it has them; sizes are in coordinates of the vector. A wrong element gives "
     "exit code 1, a miss of --min-busbw or --max-time 3.",
     "fitrelu bench\n"
     "fitrelu bench exchange --gpus 8 --from 1M --to 64M --factor 4 --min-busbw 200\n"
     "fitrelu bench step --gpus 1,2,4,8 --precision f32\n"
     "mpirun -np 16 fitrelu bench exchange --json > node07.json\n",
     cmd_bench},
    {"show", COMMAND_SHOW, "MODEL", 1, 1, "print the intercept and coefficients of a fitted model",
     "Prints the label, the intercept and the coefficient of each feature, by the names of the columns that the model was "
     "fitted to, or by number where they had none: max(0, intercept + sum of coefficient times column) is the prediction.",
     "fitrelu show houses.model\n"
     "fitrelu show houses.model --csv > coefficients.csv\n",
     cmd_show},
    {"info", COMMAND_INFO, "[MODEL]", 1, 0, "tell what this build holds and which devices it sees, or what a model holds",
     "Prints version, compiler, build options, library versions and devices: what a report of a fault needs. Of a MODEL "
     "it prints what 'fitrelu show' prints.",
     "fitrelu info\n"
     "fitrelu info houses.model\n",
     cmd_info},
};

const int command_count = sizeof command_table / sizeof command_table[0];

const command *command_find(const char *name) {
    for (int i = 0; i < command_count; i++) {
        if (strcmp(command_table[i].name, name) == 0) return &command_table[i];
    }
    return NULL;
}
