"""nbgrader for everybody on a hub who has no course folder: what to fetch and where to hand in."""

c = get_config()  # noqa: F821  (nbgrader provides it)

c.CourseDirectory.course_id = "rnn_course"
c.Exchange.root = "/srv/rnn/exchange"
