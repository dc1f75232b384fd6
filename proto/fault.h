/*
 * fault — places where a test makes a process die, stop, wait or fail.
 *
 * FAN_FAULT("sender.opened") names a moment: "<part>.<what has just happened>", or
 * "<part>.before_…"; FAN_FAULT_ABOUT one that is about somebody, "sender.writing/+49…". It does
 * nothing unless the environment's FAN_FAULT_DIR names a folder whose file "plan" asks for it;
 * tests/support/fault_points.py writes that, also while the processes run. In a release build
 * nothing of this is left.
 *
 * A plan is a list, parted by commas, of
 *     <id>:<site>[@<process>]:<nth>:<action>[:<ms>[:<times>]]
 * and perhaps "seed=<number>". A site that ends in * stands for all that begin so, a process for
 * all whose name begins so. nth counts the passes of one process; "1/50" fires at every fiftieth on
 * average, drawn from the seed, the process's name and how often it was started. Actions: kill,
 * stop (SIGSTOP), exit, sleep (for ms), fail (FAN_FAULTY is true). It happens once, or so many
 * times (0: without end), whichever processes it meets; each time leaves a file "<id>.<n>" that
 * says where.
 */
#ifndef FAN_PROTO_FAULT_H
#define FAN_PROTO_FAULT_H

#include "proto/bytes.h"

#include <stdbool.h>

#ifdef FAN_TEST_BUILD

/** Do what the plan asks for at @site. Returns whether what comes next is to fail. */
bool fan_fault(const char *site);

/** The same of @site with a slash and @what behind it: a moment that is about somebody. */
void fan_fault_about(const char *site, struct fan_bytes what);

#define FAN_FAULT(site) ((void)fan_fault(site))
#define FAN_FAULT_ABOUT(site, what) fan_fault_about(site, what)
#define FAN_FAULTY(site) fan_fault(site)

#else

#define FAN_FAULT(site) ((void)0)
#define FAN_FAULT_ABOUT(site, what) ((void)0)
#define FAN_FAULTY(site) false

#endif
#endif
