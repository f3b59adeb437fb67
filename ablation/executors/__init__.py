"""Where trials run. Each executor is a `concurrent.futures.Executor`; the last argument of a call is its link."""
