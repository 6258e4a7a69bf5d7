/*
 * An exhaustive model of the protocol in docs/protocol.md, for SPIN.
 *
 * Two indexes, two objects, two writers, one copier (a reindex), one operator. A crash can happen between any two steps;
 * an activity can run twice, its first run continuing late ("zombie"); locks expire and can be renewed after that. Every
 * interleaving is visited. `npm run model` checks the whole protocol and each variant with one rule removed.
 *
 * Abstractions: an object's content is the version that wrote it, embedding takes no time, and a transaction that holds
 * a gate exclusively is one step, which waits until nobody holds the gate shared.
 */

#ifndef OPS          /* writes of the first writer; the second does one */
#define OPS 2
#endif
#ifndef MOVES        /* alias moves of the operator */
#define MOVES 1
#endif
#ifndef CRASHES      /* crashes and activities run twice */
#define CRASHES 1
#endif
#ifndef EXPIRIES     /* times that a lock expires */
#define EXPIRIES 1
#endif
#ifndef COLLECTIONS  /* tombstones collected */
#define COLLECTIONS 0
#endif
#ifndef TURNS        /* roll backs, and forward again, by the task that keeps the old index current */
#define TURNS 0
#endif
#ifndef RUNS         /* reindexes, one after the other */
#define RUNS 1
#endif

#define AT(i, o) ((i) * 2 + (o))
#define MOST_VERSIONS 12

byte alias;                    /* the index that serves */
byte ver[4];                   /* version of each row as committed; 0: no row */
bit dirty[4];                  /* its change number is above the copier's mark */
bit drawn[2];                  /* by writer: the same for the number that it has drawn but not committed yet */
byte holders[2];               /* writers that hold the gate shared */
byte seq = 2;                  /* the sequence of versions */
byte removed[2];               /* by index: the highest version of a collected tombstone */
bit deletes[MOST_VERSIONS];    /* what a version does */
byte from[MOST_VERSIONS];      /* the version whose content it has: its own, unless a forward drew a new one */
bit accepting;                 /* the writer whose turn it is, if they are alike */
byte gone[2];                  /* by object: the version of the tombstone that was collected */
byte acked[2];                 /* by object: the highest version whose task is done */

/* The only lock row that can exist between two indexes. */
byte lock;                     /* its uuid; 0: no row */
byte locks;
bit source;                    /* the index that the lock leads from, to the other one */
bit mirror, expired, draining;
bit related;                   /* stored with the indexes: one was built from the other */
bit switched;                  /* a cut-over has happened */

byte crashes = CRASHES, expiries = EXPIRIES, collections = COLLECTIONS;

/* An activity that was considered dead and still has a batch to write. */
byte lateLock;
byte late[2];
bit lateDest;

#define BEHIND(s, d, o) (ver[AT(s, o)] > ver[AT(d, o)])
#ifdef NO_TOMBSTONES
#define COPIED(s, d, o) (BEHIND(s, d, o) && !deletes[ver[AT(s, o)]])
#else
#define COPIED(s, d, o) BEHIND(s, d, o)
#endif
#define ANY_COPIED(s, d) (COPIED(s, d, 0) || COPIED(s, d, 1))
#ifdef NO_GATE
#define CLOSED(i) (true)
#else
#define CLOSED(i) (holders[i] == 0)
#endif
#ifdef NO_GATE
#define LET_GO(i) drawn[me] = 0
#else
#define LET_GO(i) drawn[me] = 0; holders[i]--
#endif

#define SHOWN(o) from[ver[AT(alias, o)]]
#define serves(o) (ver[AT(alias, o)] == 0 || deletes[ver[AT(alias, o)]] \
  -> (acked[o] == 0 || deletes[acked[o]] || ver[AT(alias, o)] > acked[o] || gone[o] > acked[o]) \
  : (SHOWN(o) >= acked[o] && SHOWN(o) != 2))

/*
 * I1, I2: what a done task wrote serves, unless a later version was written: nothing is lost, nothing comes back.
 * I6: a destination's own content never serves unless requested: version 2 is written through no alias.
 * The numbers are those of docs/protocol.md. Checked after each step that changes what a search finds.
 */
inline check() {
  assert(serves(0) && serves(1))
}

/* Stores one row if the version is higher. */
inline store(i, o, v, isNew) {
  if
  :: v > ver[AT(i, o)] ->
#ifdef NO_TOMBSTONES
    if
    :: deletes[v] -> ver[AT(i, o)] = 0
    :: else -> ver[AT(i, o)] = v
    fi;
#else
    ver[AT(i, o)] = v;
#endif
    dirty[AT(i, o)] = isNew
  :: else
  fi
}

/* I4: the index that starts to serve has everything that is committed in the one that served. */
inline switchTo(i) {
  assert(!ANY_COPIED(1 - (i), i));
  alias = i
}

inline done(o, v) {
  if
  :: v > acked[o] -> acked[o] = v
  :: else
  fi;
  check()
}

/* A copy or a forward: fenced by the lock's uuid, with the version of the source. */
inline storeCopy(uuid, i, o, v) {
  if
#ifdef NO_FENCE
  :: v != 0 ->
#else
  :: lock == uuid && v != 0 ->
#endif
#ifdef NEW_VERSION
    if
    :: v > ver[AT(i, o)] -> seq++; from[seq] = from[v]; deletes[seq] = deletes[v]; store(i, o, seq, 1)
    :: else
    fi
#else
    store(i, o, v, 1)
#endif
  :: else
  fi
}

/*
 * A task that writes one object. Its forward reads the row as its own write left it: a later read would bring no more
 * than the forward of the task that wrote after it. It is done as early as possible, which is the hardest case.
 */
proctype writer(bit me; byte ops) {
  byte version, read, forwardLock;
  bit object, index;
  do
  :: ops == 0 -> break
  :: ops > 0 ->
    /* Accepted: the version is drawn once, before the workflow starts. Embedded for the index that serves now. */
    atomic {
      accepting == me || OPS > 1 ->
      accepting = 1; ops--;
      seq++;
      version = seq;
      from[version] = version;
      if
      :: object = 0
      :: object = 1
      fi;
      if
      :: deletes[version] = 1
      :: skip
      fi;
      index = alias
    }
  begin:
    atomic {
      !(lock != 0 && !expired && source == index && draining) ->
      if
      :: alias != index -> index = alias; goto begin                           /* moved: embed for the other index */
      :: alias == index && lock != 0 && !expired && !mirror && source != index -> goto over        /* refused */
      :: else ->
#ifndef NO_GATE
        holders[index]++;
#endif
        drawn[me] = 1;
        forwardLock = (lock != 0 && !expired && source == index -> lock : 0)
      fi
    };
    if
    :: atomic { crashes > 0 -> crashes--; LET_GO(index); goto begin }           /* dies before the commit */
    :: atomic {
        ver[AT(index, object)] == 0 && version <= removed[index] -> LET_GO(index); goto over   /* beyond retention */
      }
    :: atomic {
        ver[AT(index, object)] != 0 || version > removed[index] ->
        store(index, object, version, drawn[me]); LET_GO(index);
        if
        :: crashes > 0 -> crashes--; check(); goto begin                        /* dies after it: written again */
        :: forwardLock == 0 -> done(object, version); goto over
        :: forwardLock != 0 -> read = ver[AT(index, object)]; check()
        fi
      }
    fi;
    atomic {
      if
      :: storeCopy(forwardLock, 1 - index, object, read)
      :: true                                                                   /* the forward fails */
      fi;
      done(object, version)
    };
  over:
    atomic { read = 0; forwardLock = 0; version = 0; index = 0; object = 0 }
  od
}

/*
 * At a moment when nobody holds the source's gate: the next pass copies what has changed up to now; what is committed
 * later has a higher change number.
 */
inline takeMark() {
  pass[0] = dirty[AT(from_, 0)]; dirty[AT(from_, 0)] = 0;
  pass[1] = dirty[AT(from_, 1)]; dirty[AT(from_, 1)] = 0;
  drawn[0] = 0; drawn[1] = 0
}

inline removeUnknown(o) {
  if
  :: ver[AT(to_, o)] != 0 && !deletes[ver[AT(to_, o)]] && ver[AT(from_, o)] == 0 ->
    ver[AT(to_, o)] = 0; check()
  :: else
  fi
}

mtype = { copying, reconciling, inDrain, mirroring, turning };

proctype copier(byte runs) {
  byte uuid;
  byte read[2];
  bit from_, to_, tried;
  byte turns = TURNS;
  bit pass[2];
  mtype phase = copying;
start:
  do
  :: runs == 0 -> break
  :: runs > 0 ->
    /* 1. Lock: under both gates; expired rows are taken over; a destination with its own content is refused. */
    atomic {
      CLOSED(0) && CLOSED(1) ->
      runs--;
      if
      :: lock != 0 && !expired -> goto start
#ifndef A2
      :: !(lock != 0 && !expired) && (BEHIND(1 - alias, alias, 0) || BEHIND(1 - alias, alias, 1)) -> goto start
#endif
      :: else ->
        locks++;
        lock = locks; uuid = locks;
        source = alias; from_ = alias; to_ = 1 - alias;
        mirror = 0; expired = 0; draining = 0;
        related = 1;
        removed[to_] = (removed[from_] > removed[to_] -> removed[from_] : removed[to_]);
        takeMark()
      fi
    }
    /* 3. Copy: every object. A batch is read in one statement and written in one transaction. */
  again:
    atomic { phase = copying; pass[0] = 1; pass[1] = 1; tried = 0 };
  bring:
    atomic {
      read[0] = (pass[0] && COPIED(from_, to_, 0) -> ver[AT(from_, 0)] : 0);
      read[1] = (pass[1] && COPIED(from_, to_, 1) -> ver[AT(from_, 1)] : 0);
      pass[0] = 0; pass[1] = 0
    };
    if
    :: read[0] == 0 && read[1] == 0
    :: atomic { (read[0] != 0 || read[1] != 0) && lock != uuid -> goto lost }
    :: atomic {
        (read[0] != 0 || read[1] != 0) && lock == uuid ->
        storeCopy(uuid, to_, 0, read[0]); storeCopy(uuid, to_, 1, read[1]);
        read[0] = 0; read[1] = 0; check()
      }
    :: atomic {
        (read[0] != 0 || read[1] != 0) && lock == uuid && crashes > 0 && lateLock == 0 && phase != mirroring ->
        crashes--;
        lateLock = uuid; late[0] = read[0]; late[1] = read[1]; lateDest = to_;
        goto again                                                              /* the activity runs a second time */
      }
    fi;
    if
    :: atomic { phase == copying -> phase = reconciling; goto mark }
    :: phase == reconciling ->
      /* 6. Verify: objects that do not exist in the source are removed. */
      atomic { if :: lock != uuid -> goto lost :: else -> removeUnknown(0) fi };
      atomic { if :: lock != uuid -> goto lost :: else -> removeUnknown(1) fi };
      /* 7. Cut over: writers are blocked while the last changes are copied. */
#ifdef NO_DRAIN
      goto cutOver
#else
      atomic {
        CLOSED(from_) ->
        if
        :: lock != uuid -> goto lost
        :: else -> draining = 1; phase = inDrain; goto mark
        fi
      }
#endif
    :: phase == inDrain -> goto cutOver
    :: phase == turning -> goto turn
    :: atomic {
        phase == mirroring && turns > 0 && CLOSED(from_) ->
        turns--;
        if
        :: lock != uuid -> goto lost
        :: else ->
#ifndef A5
          draining = 1;
#endif
          phase = turning; goto mark
        fi
      }
    :: atomic {
        phase == mirroring ->
        if
        :: lock == uuid -> lock = 0; mirror = 0; expired = 0                    /* the retired index is released */
        :: true                                                                /* its workflow dies */
        fi;
        goto lost
      }
    fi;
  mark:
    /* 5. Reconcile. */
    atomic { CLOSED(from_) -> takeMark(); goto bring };
  cutOver:
    atomic {
      CLOSED(from_) && CLOSED(to_) ->
      if
      :: lock != uuid -> goto lost
#ifndef NO_DRAIN
      :: lock == uuid &&
          ((COPIED(from_, to_, 0) && dirty[AT(from_, 0)]) || (COPIED(from_, to_, 1) && dirty[AT(from_, 1)])) ->
        draining = 0; phase = reconciling;
        if
        :: !tried -> tried = 1; goto mark
        :: tried -> lock = 0; expired = 0; goto lost                           /* gives up: the source serves */
        fi
#endif
      :: else ->
        switchTo(to_); switched = 1; draining = 0; expired = 0;
        if
        :: lock = 0; check(); goto lost
        :: locks++; lock = locks; uuid = locks; mirror = 1;                    /* 8. The old index is kept current. */
          source = to_; to_ = from_; from_ = source; phase = mirroring;
          check(); goto mark
        fi
      fi
    };
  turn:
    /* Rolls back: the alias moves to the index that is kept current, and the mirror leads in the other direction. */
    atomic {
      CLOSED(from_) && CLOSED(to_) ->
      if
      :: lock != uuid -> goto lost
#ifndef A5
      :: lock == uuid && ANY_COPIED(from_, to_) -> draining = 0; phase = mirroring; goto mark
#endif
      :: else ->
        switchTo(to_); draining = 0; expired = 0;
        locks++; lock = locks; uuid = locks;
        source = to_; to_ = from_; from_ = source; phase = mirroring;
        check(); goto mark
      fi
    };
  lost:
    atomic {
      phase = copying; pass[0] = 0; pass[1] = 0; read[0] = 0; read[1] = 0; uuid = 0; from_ = 0; to_ = 0; tried = 0
    }
  od
}

/*
 * Moves the alias manually: back after a cut-over, or forward to a destination that is complete. Moving it to an index
 * that was never built from the other one would request that content: I6 excludes this, so the operator does not do it.
 */
proctype operator(byte moves) {
  do
  :: moves == 0 -> break
  :: moves > 0 ->
    moves--;
    atomic {
      CLOSED(0) && CLOSED(1) ->
      if
      :: lock != 0 && !expired && !mirror                                      /* a reindex holds it: refused */
      :: !(lock != 0 && !expired && !mirror) && !related                       /* other content: nobody requests it */
#ifdef A3
      /* Judged by the mirror's row: if it is gone after a cut-over, nothing is compared. */
      :: !(lock != 0 && !expired && !mirror) && related && !(lock == 0 && switched) && ANY_COPIED(alias, 1 - alias)
#else
      :: !(lock != 0 && !expired && !mirror) && related && ANY_COPIED(alias, 1 - alias)   /* not current: refused */
#endif
      :: else ->
        switchTo(1 - alias);
#ifdef A4
        if
        :: mirror -> lock = 0; mirror = 0
        :: else                                                                /* the expired row stays */
        fi;
#else
        lock = 0; mirror = 0; draining = 0;
#endif
        check()
      fi
    }
  od
}

/* Removes a tombstone; a write that is not newer cannot be judged any more. */
inline collect(i, o) {
  if
  :: deletes[ver[AT(i, o)]] ->
    gone[o] = (ver[AT(i, o)] > gone[o] -> ver[AT(i, o)] : gone[o]);
    removed[i] = (ver[AT(i, o)] > removed[i] -> ver[AT(i, o)] : removed[i]);
    ver[AT(i, o)] = 0; dirty[AT(i, o)] = 0
  :: else
  fi
}

/* Time, maintenance and late activities. */
proctype world() {
end:
  do
  :: atomic { lock != 0 && !expired && expiries > 0 -> expiries--; expired = 1 }
  :: atomic { lock != 0 && expired -> expired = 0 }                             /* renewed late by its workflow */
  :: atomic { lock != 0 && expired && mirror -> lock = 0; mirror = 0; expired = 0; draining = 0 }  /* maintenance */
  :: atomic {
      collections > 0 && (lock == 0 || expired) && CLOSED(0) && CLOSED(1) ->
      collections--; lock = 0; mirror = 0; expired = 0; draining = 0;
      collect(0, 0); collect(0, 1); collect(1, 0); collect(1, 1);
      check()
    }
  :: atomic { draining -> draining = 0 }                                        /* its lease ends */
  :: atomic {
      lateLock != 0 ->
      storeCopy(lateLock, lateDest, 0, late[0]); storeCopy(lateLock, lateDest, 1, late[1]);
      lateLock = 0; late[0] = 0; late[1] = 0; lateDest = 0;
      check()
    }
  od
}

init {
  atomic {
    from[1] = 1; from[2] = 2;
    ver[AT(0, 0)] = 1; acked[0] = 1;
    if
    :: ver[AT(1, 0)] = 2                                                        /* its own content */
    :: skip
    fi;
    run writer(0, OPS); run writer(1, 1); run copier(RUNS); run operator(MOVES); run world()
  }
}
