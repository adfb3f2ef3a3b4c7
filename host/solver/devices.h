/*
 * devices.h - which GPU belongs to which process.
 *
 * What a process sees depends on its launcher: all GPUs of the machine, only its own, or those of a list in
 * CUDA_VISIBLE_DEVICES that it may share with others. So GPUs are told apart by what they are and not by their number.
 */
#ifndef FR_DEVICES_H
#define FR_DEVICES_H

/* The GPUs that a process sees, in its own numbering, by names that no two GPUs share. */
enum { FR_MOST_VISIBLE = 32, FR_DEVICE_ID = 16 };
typedef struct fr_visible_devices {
    int count;
    unsigned char id[FR_MOST_VISIBLE][FR_DEVICE_ID];
    int taken, own[FR_MOST_VISIBLE]; /* those that it takes */
} fr_visible_devices;

/* The processes, in their order, take the first `each` GPUs that they see and that none before them has taken; fewer where
 * they see no more. */
void fr_devices_share(fr_visible_devices *seen, int processes, int each);

#endif
