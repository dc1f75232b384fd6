/*
 * replay — says in the database what dead senders of this host left in their journals.
 *
 * For each chunk that such a sender held: its answers are recorded under its claim, or as evidence
 * when the claim is over; messages that were opened and never started go back (same boot only);
 * what was started and has no answer is unknown. Safe to repeat: a replay that is killed is done
 * again from the beginning.
 */
#ifndef FAN_ACTORS_SENDER_REPLAY_H
#define FAN_ACTORS_SENDER_REPLAY_H

struct sender;
struct replay;

/** Look for journals of the dead now, and every two seconds. */
struct replay *replay_new(struct sender *sender);
void replay_free(struct replay **replay);

#endif
