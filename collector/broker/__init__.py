"""The embedded MQTT broker, for the demonstration and for tests; a real deployment runs Mosquitto."""
