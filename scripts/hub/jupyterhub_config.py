"""JupyterHub for a class on one machine, whose accounts are the machine's own: docs/jupyterhub.md."""

c = get_config()  # noqa: F821  (JupyterHub provides it)

# For this machine alone: a web server with TLS stands before it.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.ConfigurableHTTPProxy.command = ["/opt/rnn/node_modules/.bin/configurable-http-proxy"]
c.PAMAuthenticator.allowed_groups = {"rnn"}
# A session of PAM's belongs to a login on a terminal, and would need rights that some machines do not give.
c.PAMAuthenticator.open_sessions = False
c.Spawner.cmd = ["/opt/rnn/bin/jupyterhub-singleuser"]
c.Spawner.default_url = "/lab"
