"""Trying, one provider after another, until there is an outcome.

- `job`      one live generation, as the walkers see it
- `decide`   after this fault: same again, next offer, or give up: one pure function
- `line`     what an attempt says to its provider and hears from it
- `slots`    calls that wait until their provider's rate has room
- `attempt`  walks one attempt, and writes every step down
- `slow`     jobs that take longer than theirs do, moved where nothing is lost by it
- `crowd`    looks at all running jobs, spread so that thousands of them cost callers nothing
- `doubt`    a submit whose answer was lost: repeated under its key, looked for, or left in doubt
- `aftercare`  attempts nobody waits for: stopped, and looked at once more
- `inputs`   files as each provider takes them, as many at a time as there is `room` for in memory
- `collect`  makes the outputs ours, and settles
- `choice`   which offer comes next, and whether it may be asked now
- `report`   what the breakers and rankings are told of an attempt; `notice` tells the log and the metrics when one has moved
- `shown`    what may be shown of a fault
- `run`      walks one plan to its end
- `resume`   after a restart: what each generation in flight means
- `turns`    and when each of them goes on
- `pace`     when to look next, along a `curve` of how many looks are due until when
- `heard`    what the looks at one job have told of how far it is

Who calls it: intake begins a run, the app resumes those in flight. It must not know HTTP dialects, SQL or any provider.

Decided because
- The intent is committed before the first byte leaves, and the reference as soon as it is known. What happened in between is
  in doubt, and is never simply repeated.
- A run is a coroutine that mostly sleeps. All it must not lose is in the store, so it may die at any line.
- Cancelling commits first and tells the provider afterwards: the caller's word holds whether or not the provider listens.
"""
