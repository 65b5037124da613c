"""An event loop on which waiting takes no time, for programs that hold both ends of their sockets.

The clock counts the processor time of the process. Where the program only waits, the loop advances
the clock to the next timer instead of sleeping. So half a minute of conversation takes as long as
the work in it, measurements are the same on a busy machine, and sockets, codecs, DTLS and threads
stay the real ones.

Time is skipped only if nothing can happen before the next timer: no socket is ready, no thread is
at work (`threads`), and no socket or pipe leads out of the process (`outside`). Otherwise the clock
follows real time. It never goes back.
"""
