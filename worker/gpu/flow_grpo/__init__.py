"""Policy server and trainer worker of durable AgentFlow."""
