"""People, public bodies, who leads whom - and the jobs that run in the background for all floors."""
