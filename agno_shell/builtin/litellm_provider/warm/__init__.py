"""litellm, kept imported for the next shell: one process of a user that forks a model process for
each connection over a Unix socket.

``client`` and ``looking`` are the shell's side, ``server``, ``doorman`` and ``forked`` the other;
``identity``, ``socket_path``, ``peer`` and ``surroundings`` say which server, where, whose it is,
and in which environment it was started; ``reads`` what of that environment counts.
"""
